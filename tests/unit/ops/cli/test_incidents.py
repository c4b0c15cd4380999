"""Incidents in a terminal: everything is there, and hostile text does nothing."""

from notifiers.incidents.view import IncidentView
from ops.cli.alerts_act import _said
from ops.cli.incidents import incident_text, list_text, statistics_text
from ops.incident_export import as_json
from ops.incident_statistics import Life, summary
from schemas.incidents import IncidentAction, IncidentCommand
from tests.unit.notifiers.scenario import START, Scenario

ROUTES = """
route: {receiver: ops, group_by: [alertname, host], group_wait: 0s}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""
EVIL = "\x1b[2J\nroot"


def incident() -> IncidentView:
    day = Scenario(ROUTES).fires(0, "a", host=EVIL).until(20)
    name = day.router.incidents()[0].id
    acknowledged = IncidentCommand(
        incident=name, action=IncidentAction.ACKNOWLEDGE, by=EVIL, note="on it", until=START + 10**6
    )
    return day.at(30, acknowledged).router.incidents()[0]


def test_one_incident_is_told_whole_and_harmless() -> None:
    text = incident_text(as_json(incident()))
    for part in ("acknowledged", "on it", "ops", "delivered"):
        assert part in text
    assert "\x1b" not in text
    assert "\nroot" not in text
    assert r"\x1b[2J\nroot" in text


def test_the_list_says_who_has_it_and_what_is_left_out() -> None:
    one = as_json(incident(), whole=False)
    text = list_text({"incidents": [one], "total": 3}, START + 90_000)
    assert "1m30s ago" in text
    assert text.endswith("and 2 more")
    assert "\x1b" not in text
    assert list_text({"incidents": [], "total": 0}, START) == "no incidents"


def test_statistics_have_a_column_for_each_receiver_and_a_dash_for_nothing() -> None:
    lives = [Life("ops", 1, 60_001, None, False, 0, 1, 0)]
    told = {
        "since": START,
        "complete": False,
        "all": summary(lives, 86_400_000),
        "receivers": {"ops": summary(lives, 86_400_000)},
    }
    lines = statistics_text(told).splitlines()
    assert lines[0].split()[-2:] == ["ALL", "ops"]
    assert next(line for line in lines if line.startswith("time to acknowledge, p90")).endswith(
        "1m"
    )
    assert next(line for line in lines if line.startswith("time to resolve, mean")).endswith("–")
    assert lines[-1].startswith("not complete")


def test_what_was_done_is_said_with_its_end() -> None:
    name = incident().id
    said = _said(as_json(incident()))
    assert said.startswith(f"incident {name} is acknowledged until 20")
    assert "\x1b" not in said
