"""docker-compose.yml, carried out without Docker: from a metric to a page, and down again."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ops.history.clickhouse import History
from tests.support.compose import Compose
from tests.support.kafka import jars
from tests.support.sender import Sender
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

HOST = "restarted-host"


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """Everything of no profile, up and well."""
    with Compose(tmp_path_factory.mktemp("compose"), jars()) as up:
        up.make_secrets()
        up.up()
        yield up


@pytest.fixture(scope="module")
def alert(compose: Compose) -> dict[str, Any]:
    """What the console's API shows of a host that has just restarted."""
    token = compose.project.secret("console_token")
    with Sender(compose.url, token, HOST) as sender:
        sender.send("node_boot_time_seconds", time.time())
    header = {"Authorization": f"Bearer {token.read_text().strip()}"}
    with httpx.Client(base_url=compose.url, headers=header, trust_env=False) as client:

        def shown() -> dict[str, Any] | None:
            answer = client.get("/api/tocsin/v1/alerts")
            assert answer.status_code == 200, answer.text
            alerts: list[dict[str, Any]] = answer.json()["alerts"]
            return next((each for each in alerts if each["labels"].get("instance") == HOST), None)

        return eventually(shown, 60, "an alert on the console")


def test_everything_started_after_what_it_waits_for(compose: Compose) -> None:
    order = compose.order
    assert order.index("kafka") < order.index("topics") < order.index("apply")
    assert all(order.index("apply") < order.index(name) for name in ("detector", "console"))
    assert order.index("clickhouse") < order.index("historian")


def test_a_metric_at_the_agents_door_becomes_an_alert(alert: dict[str, Any]) -> None:
    assert alert["labels"]["alertname"] == "HostRestarted"
    assert alert["state"] == "firing"


def test_somebody_is_told(compose: Compose, alert: dict[str, Any]) -> None:
    (courier,) = compose.running("courier")
    file = courier.path("/var/lib/tocsin/deliveries/notifications.jsonl")

    def told() -> bool:
        lines = file.read_text().splitlines() if file.exists() else []
        return any(HOST in json.dumps(json.loads(line)) for line in lines)

    eventually(told, 60, lambda: compose.said(courier))


def test_history_has_the_alert_and_what_led_to_it(compose: Compose, alert: dict[str, Any]) -> None:
    assert compose.history is not None
    history = History(compose.history.analyst)
    asked = {"host": HOST}

    def rows() -> bool:
        alerts = "SELECT count() FROM alerts WHERE labels['instance'] = {host:String}"
        return bool(history.rows(alerts, asked)[0][0])

    eventually(rows, 30, "a row of the alert")
    names = history.rows("SELECT DISTINCT name FROM metrics", {})
    assert ("node_boot_time_seconds",) in [tuple(row) for row in names]
    history.close()


def partitions(compose: Compose) -> list[float]:
    """How many partitions each detector has, by its own figures."""
    return [
        figure(httpx.get(f"http://127.0.0.1:{each.probes}/metrics", trust_env=False).text)
        for each in compose.running("detector")
    ]


def figure(text: str) -> float:
    """The detector's partitions in an exposition."""
    ours = ('figure="partitions"', 'stage="detector"')
    lines = [line for line in text.splitlines() if all(each in line for each in ours)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.parametrize("count", [2, 3])
def test_detectors_share_the_partitions(compose: Compose, count: int) -> None:
    """`docker compose up --scale detector=3`."""
    compose.scale("detector", count)

    def shared() -> bool:
        counts = partitions(compose)
        assert len(counts) == count
        assert min(counts) >= 1, counts
        assert sum(counts) == 8, counts
        return True

    eventually(shared, 60, lambda: partitions(compose))


def test_commands_in_a_container_find_what_runs_there(
    compose: Compose, alert: dict[str, Any]
) -> None:
    listed = compose.exec("console", "alerts", "list", "--json")
    assert listed.returncode == 1, listed.stderr  # one is firing
    assert alert["fingerprint"] in listed.stdout
    assert compose.exec("router", "probe").returncode == 0
    checked = compose.exec("detector", "check", "--live", "--config", "/etc/tocsin/tocsin.yaml")
    assert checked.returncode == 0, checked.stderr


def test_the_load_of_the_test_profile_can_be_taken(compose: Compose) -> None:
    declared = [str(each) for each in compose.project.services["load"]["command"]]
    ran = compose.exec("load", *declared, "--for", "2s")
    assert ran.returncode == 0, ran.stderr
    assert declared[-2:] == ["--for", "5m"]


def test_nothing_answers_without_the_token(compose: Compose) -> None:
    assert httpx.get(f"{compose.url}/api/tocsin/v1/alerts", trust_env=False).status_code == 401


def test_stop_ends_everything_in_time_and_in_order(compose: Compose, alert: dict[str, Any]) -> None:
    ended = compose.stop()
    assert {name.rpartition("-")[0] for name in ended} == {
        *("agent", "detector", "router", "courier", "historian", "console")
    }
    assert {name: code for name, (code, _) in ended.items() if code} == {}
    assert max(seconds for _, seconds in ended.values()) < 15


def test_secrets_are_made_once(compose: Compose) -> None:
    before = compose.project.secret("console_token").read_text()
    assert len(before) == 64
    compose.make_secrets()
    assert compose.project.secret("console_token").read_text() == before
    mode = compose.project.secret("console_token").parent.stat().st_mode
    assert mode & 0o077 == 0
