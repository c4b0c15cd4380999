"""What docker-compose.yml promises: nothing is open, nothing runs as root, everything ends."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli.command_line import _parser
from ops.history.chdb_engine import PEOPLE
from ops.settings import load

ROOT = Path(__file__).parents[4]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = PROJECT["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("tocsin-")}
WORKERS = {"agent", "detector", "router", "courier", "historian", "console"}
ONCE = {"topics", "apply", "load"}

every_service = pytest.mark.parametrize("name", SERVICES)


def test_there_is_a_service_for_every_worker() -> None:
    assert set(OURS) == WORKERS | ONCE
    assert set(SERVICES) - set(OURS) == {"kafka", "clickhouse", "mailpit"}


@every_service
def test_a_container_can_do_as_little_as_possible(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= set(limits)


@every_service
def test_a_container_has_time_to_end_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["stop_grace_period"] in {"15s", "30s"}
    check = service["healthcheck"]
    if name in ONCE:
        assert check == {"disable": True}
        assert service["restart"] == "no"
    else:
        assert check["test"][0] == "CMD"
        assert "curl" not in check["test"]
        assert service["restart"] == "unless-stopped"


def test_only_the_console_is_reached_from_outside_and_only_from_this_machine() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert published == {"console": ["127.0.0.1:8080:8080"]}
    assert PROJECT["networks"]["inside"] == {"internal": True}
    outside = {name for name, s in SERVICES.items() if "outside" in s["networks"]}
    assert outside == {"console", "courier"}


@every_service
def test_images_are_of_one_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)*", SERVICES[name]["image"])


def test_a_scaled_service_has_no_name_and_no_volume_of_its_own() -> None:
    for name in ("detector", "router", "historian"):
        assert "container_name" not in SERVICES[name]
        assert "volumes" not in SERVICES[name]
    assert SERVICES["detector"]["deploy"]["replicas"] == 2


def test_workers_wait_for_topics_and_plans() -> None:
    for name in WORKERS | {"load"}:
        after = {k: v["condition"] for k, v in SERVICES[name]["depends_on"].items()}
        assert after["topics"] == after["apply"] == "service_completed_successfully"
        assert after["kafka"] == "service_healthy"


def test_profiles_add_and_take_nothing_away() -> None:
    profiles = {name: s["profiles"] for name, s in SERVICES.items() if "profiles" in s}
    assert profiles == {"mailpit": ["development", "test"], "load": ["test"]}


@pytest.mark.parametrize("name", OURS)
def test_every_command_can_be_typed(name: str) -> None:
    _parser().parse_args([str(each) for each in OURS[name]["command"]])
    check = OURS[name]["healthcheck"]
    if "test" in check:
        assert check["test"][1] == "tocsin"
        _parser().parse_args(check["test"][2:])


@every_service
def test_what_is_mounted_is_there(name: str) -> None:
    service = SERVICES[name]
    for config in service.get("configs", []):
        assert (ROOT / PROJECT["configs"][config["source"]]["file"]).is_file()
    for secret in service.get("secrets", []):
        # Made by secrets.sh, and never a part of this repository.
        file = Path(PROJECT["secrets"][secret]["file"])
        assert file.parent == Path("ops/deploy/compose/secrets")
        assert file.name in (ROOT / "ops/deploy/compose/secrets.sh").read_text("utf-8")
    for volume in service.get("volumes", []):
        assert volume.partition(":")[0] in PROJECT["volumes"]


@pytest.mark.parametrize("name", OURS)
def test_no_secret_stands_in_the_file(name: str) -> None:
    for key, value in OURS[name]["environment"].items():
        if re.search("TOKEN|PASSWORD|SECRET", key):
            assert key.endswith("_FILE")
            assert Path(value).name in OURS[name]["secrets"]


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_every_container_are_right(name: str, tmp_path: Path) -> None:
    """With the files and secrets of the container where the settings look for them."""
    service = OURS[name]
    home = tmp_path / "etc" / "tocsin"
    for config in service["configs"]:
        target = tmp_path / config["target"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((ROOT / PROJECT["configs"][config["source"]]["file"]).read_text())
    environ = {k: str(v) for k, v in service["environment"].items()}
    for key, value in environ.items():
        if value.startswith("/run/secrets/"):
            secret = tmp_path / Path(value).name
            secret.write_text("4f1c9e07b2d85a36e0c7193bd6a8f452")
            environ[key] = str(secret)
    settings = load(home / "tocsin.yaml", {}, environ).settings
    assert settings.profile == "docker"
    assert settings.kafka.bootstrap == ("kafka:9092",)
    assert settings.history.url == "http://clickhouse:8123"
    assert str(settings.worker.listen) == "0.0.0.0:9464"
    assert len(settings.rule_files()) == 1


def test_analysts_read_with_the_limits_that_they_have_embedded() -> None:
    users = ET.parse(ROOT / "ops/deploy/clickhouse/users.xml").getroot()
    analyst = users.find("profiles/analyst")
    assert analyst is not None
    assert {each.tag: each.text for each in analyst} == PEOPLE | {"readonly": "1"}
    assert users.findtext("users/analyst/profile") == "analyst"
    assert [q.text for q in users.iterfind("users/analyst/grants/query")] == [
        "GRANT SELECT ON default.*"
    ]
    default = users.find("users/default")
    assert default is not None
    assert default.get("remove") == "remove"
    for user in ("tocsin", "analyst"):
        password = users.find(f"users/{user}/password")
        assert password is not None
        assert password.text is None
        assert f"{password.get('from_env')}=" in " ".join(SERVICES["clickhouse"]["entrypoint"])


def test_clickhouse_config_is_well_formed() -> None:
    assert ET.parse(ROOT / "ops/deploy/clickhouse/config.xml").getroot().tag == "clickhouse"
