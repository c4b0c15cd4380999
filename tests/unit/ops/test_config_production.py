"""From a configuration that lacks nothing, each lack alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli.command_line import main
from ops.config_production import lacks
from ops.settings import load
from schemas.errors import LogAway

STRONG = "4f1c9e07b2d85a36e0c7193bd6a8f452"
ROUTES = """
route: {receiver: ops}
receivers:
  - name: ops
    webhook_configs: [{url: "https://hooks.example.org/alerts"}]
  - name: nobody
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The files of a configuration that is fit for production."""
    for name in ("token", "kafka-password", "history-password"):
        secret = tmp_path / name
        secret.write_text(STRONG)
        secret.chmod(0o600)
    (tmp_path / "routes.yml").write_text(ROUTES)
    (tmp_path / "rules.yml").write_text("groups: []\n")
    key = tmp_path / "client.pem"
    key.write_text("a key\n")
    key.chmod(0o600)
    return tmp_path


def fit() -> dict[str, Any]:
    """What `tocsin check --profile production` finds nothing in."""
    return {
        "token_file": "token",
        "external_url": "https://tocsin.example.org",
        "rules": ["rules.yml"],
        "routes": "routes.yml",
        "kafka": {
            "bootstrap": ["kafka-1:9093"],
            "security": "tls",
            "sasl": "SCRAM-SHA-512",
            "username": "tocsin",
            "password_file": "kafka-password",
            "replication": 3,
            "min_in_sync": 2,
        },
        "history": {"url": "https://clickhouse:8443", "password_file": "history-password"},
        "logging": {"format": "json"},
    }


def found(home: Path, settings: dict[str, Any], **environ: str) -> list[str]:
    file = home / "tocsin.yaml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    loaded = load(file, {"profile": "production"}, environ)
    return [str(each).replace(f"{home}/", "") for each in lacks(loaded)]


def place(home: Path, key: str) -> str:
    """File and line of a key of the configuration last written."""
    lines = (home / "tocsin.yaml").read_text().splitlines()
    at = next(n for n, line in enumerate(lines, 1) if line.strip().startswith(f"{key}:"))
    return f"tocsin.yaml:{at}"


def test_a_fit_configuration_lacks_nothing(home: Path) -> None:
    assert found(home, fit()) == []


def without(section: str, *keys: str) -> Callable[[dict[str, Any]], None]:
    def change(settings: dict[str, Any]) -> None:
        for key in keys:
            del (settings[section] if section else settings)[key]

    return change


def with_(section: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    def change(settings: dict[str, Any]) -> None:
        (settings[section] if section else settings).update(values)

    return change


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (with_("kafka", replication=2, min_in_sync=2), "kafka.replication", "of 2 loses records"),
        (with_("kafka", min_in_sync=1), "kafka.min_in_sync", "of 1 lets a record count"),
        (with_("kafka", min_in_sync=3), "kafka.min_in_sync", "of 3 stops all writing"),
        (with_("history", retention="2d"), "history.retention", "is shorter than 7 days"),
        (with_("history", enabled=False), "history.enabled", "is false: nothing is remembered"),
        (with_("history", url="http://clickhouse:8123"), "history.url", "is not https"),
        (with_("", external_url="http://tocsin"), "external_url", "is not https"),
        (with_("logging", format="text"), "logging.format", "is text"),
        (with_("kafka", bootstrap=[]), "kafka.bootstrap", "is not set: everything runs on one"),
    ],
)
def test_a_value_unfit_for_production(
    home: Path, change: Callable[[dict[str, Any]], None], key: str, message: str
) -> None:
    settings = fit()
    change(settings)
    (said,) = found(home, settings)
    assert said.startswith(f"{place(home, key.rpartition('.')[2])}: {key}: {message}")


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        (without("", "token_file"), "token_file", "is not set: whoever reaches the server"),
        (without("", "external_url"), "external_url", "is not set: links in notifications"),
        (without("", "rules"), "rules", "is not set: nothing is ever decided"),
        (without("", "routes"), "routes", "is not set: nobody is told"),
        (without("kafka", "sasl"), "kafka.sasl", "is not set, nor a certificate"),
        (without("history", "url"), "history.url", "is not set: a historian on Kafka"),
        (without("history", "password_file"), "history.password_file", "is not set: whoever"),
    ],
)
def test_a_key_that_production_needs(
    home: Path, change: Callable[[dict[str, Any]], None], key: str, message: str
) -> None:
    settings = fit()
    change(settings)
    (said,) = found(home, settings)
    _, _, rest = said.partition(f": {key}: ")
    assert rest.startswith(message)


def test_plain_text_to_kafka_shows_the_password_too(home: Path) -> None:
    settings = fit()
    settings["kafka"]["security"] = "plaintext"
    first, second = found(home, settings)
    assert "kafka.security: sends metrics, alerts and commands in clear" in first
    assert "kafka.sasl: shows the password to the network" in second


def test_a_certificate_of_our_own_says_who_we_are(home: Path) -> None:
    settings = fit()
    del settings["kafka"]["sasl"]
    settings["kafka"]["certificate_file"] = "client.pem"
    assert found(home, settings) == []
    (home / "client.pem").chmod(0o644)
    (said,) = found(home, settings)
    assert "kafka.certificate_file: client.pem holds a private key that everybody can rea" in said
    (home / "client.pem").unlink()
    (said,) = found(home, settings)
    assert "kafka.certificate_file: client.pem cannot be read" in said


@pytest.mark.parametrize(
    ("section", "key", "file"),
    [
        ("", "token", "token_file"),
        ("kafka", "password", "password_file"),
        ("history", "password", "password_file"),
    ],
)
def test_a_secret_outside_of_a_file_of_its_own(
    home: Path, section: str, key: str, file: str
) -> None:
    settings = fit()
    part = settings[section] if section else settings
    del part[file]
    part[key] = STRONG
    (said,) = found(home, settings)
    full = f"{section}.{key}".lstrip(".")
    assert said.startswith(f"{place(home, key)}: {full}: stands where configuration is read")
    del part[key]
    variable = f"TOCSIN__{full.upper().replace('.', '__')}"
    (said,) = found(home, settings, **{variable: STRONG})
    assert said.startswith(f"{variable}: {full}: stands where configuration is read")


@pytest.mark.parametrize("file", ["token", "kafka-password", "history-password"])
def test_a_secret_that_is_easy_to_guess(home: Path, file: str) -> None:
    (home / file).write_text("change-me-please-change-me")
    (said,) = found(home, fit())
    assert "_file: is made of words that everybody tries first" in said
    assert "change-me" not in said


@pytest.mark.parametrize("file", ["token", "kafka-password", "history-password"])
def test_a_secret_that_others_can_read(home: Path, file: str) -> None:
    (home / file).chmod(0o644)
    (said,) = found(home, fit())
    assert f"_file: {file} can be read by everybody: chmod 600" in said


def test_a_key_that_is_missing_is_told_where_its_section_stands(home: Path) -> None:
    settings = fit()
    del settings["kafka"]["security"], settings["kafka"]["sasl"]
    first, second = found(home, settings)
    assert first.startswith(f"{place(home, 'kafka')}: kafka.security: ")
    assert second.startswith(f"{place(home, 'kafka')}: kafka.sasl: ")


def test_what_nobody_wrote_comes_from_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    loaded = load(None, {"profile": "production"}, {"TOCSIN__LOGGING__LEVEL": "debug"})
    said = {each.key: str(each.origin) for each in lacks(loaded)}
    assert said["external_url"] == "defaults"
    assert said["routes"] == "defaults"


def test_a_root_route_that_tells_nobody(home: Path) -> None:
    (home / "routes.yml").write_text(ROUTES.replace("receiver: ops", "receiver: nobody"))
    (said,) = found(home, fit())
    assert 'routes.yml: what no route names goes to "nobody"' in said


def test_routes_that_cannot_be_read_are_for_the_other_checks(home: Path) -> None:
    (home / "routes.yml").write_text("route: {}\n")
    assert found(home, fit()) == []
    (home / "routes.yml").write_bytes(b"\xff")
    assert found(home, fit()) == []


def test_check_lists_everything_at_once_and_ends_with_2(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = fit() | {"external_url": "ftp://x", "listne": "y"}
    settings["kafka"]["replication"] = 1
    (home / "tocsin.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    asked = ["check", "--config", str(home / "tocsin.yaml"), "--profile", "production", "--json"]
    assert main(asked) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert {each["key"] for each in problems} >= {"listne", "external_url", "kafka.replication"}
    assert all(each["source"] for each in problems)


@pytest.mark.parametrize("profile", ["local", "staging", "docker"])
def test_other_profiles_may_lack_all_of_it(home: Path, profile: str) -> None:
    (home / "tocsin.yaml").write_text("token_file: token\n")
    assert main(["check", "--config", str(home / "tocsin.yaml"), "--profile", profile]) == 0


def test_a_cluster_that_does_not_answer_is_exit_code_3(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise LogAway("Kafka at a:1: no brokers")

    monkeypatch.setattr("ops.cli.check_live.compared", away)
    (home / "tocsin.yaml").write_text("kafka: {bootstrap: 'a:1'}\n")
    assert main(["check", "--live", "--config", str(home / "tocsin.yaml")]) == 3
    assert "not checked live: Kafka at a:1: no brokers" in capsys.readouterr().err


def test_a_live_check_without_brokers_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "tocsin.yaml").write_text("")
    assert main(["check", "--live", "--config", str(home / "tocsin.yaml")]) == 2
    assert "--live: kafka.bootstrap: is missing" in capsys.readouterr().err
