"""Incidents over HTTP: found, acted on, exported, counted."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from notifiers.incidents.view import IncidentView
from ops.history.errors import HistoryAway
from ops.incident_export import escaped, markdown
from schemas.incidents import IncidentAction, IncidentCommand
from schemas.topics import CODEC
from tests.support.fake_services import NOW, FakeLog, FakeServices
from tests.unit.notifiers.scenario import Scenario
from tests.unit.ops.api.asking import ask

ROUTES = """
route: {receiver: ops, group_by: [alertname], group_wait: 0s}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""
PATH = "/api/tocsin/v1/incidents"
EVIL = "`<img src=x>` [a](http://b) | *c* \x1b[31m\n# d"


def views() -> list[IncidentView]:
    """One open incident of `a`, and a resolved one of `b`."""
    day = Scenario(ROUTES).fires(0, "a", host=EVIL).fires(5, "b").resolves(10, "b", since=5)
    return day.until(2_000).router.incidents()


def services(**more: Any) -> FakeServices:
    return FakeServices(incident_views=views(), **more)


def commands(log: FakeLog) -> list[IncidentCommand]:
    events = [CODEC.decode(message.value).event for message in log.messages]
    return [event for event in events if isinstance(event, IncidentCommand)]


def test_they_are_listed_by_state() -> None:
    found = services()
    assert ask("GET", PATH, found).json()["total"] == 2
    (one,) = ask("GET", f"{PATH}?state=open", found).json()["incidents"]
    assert (one["labels"], one["alerts_known"]) == ({"alertname": "a"}, 1)
    assert ask("GET", f"{PATH}?state=open&state=resolved", found).json()["total"] == 2
    assert ask("GET", f"{PATH}?limit=1", found).json()["total"] == 2


@pytest.mark.parametrize("query", ["state=shut", "limit=0", "limit=x", "limit=1001"])
def test_a_list_that_makes_no_sense_is_refused(query: str) -> None:
    answer = ask("GET", f"{PATH}?{query}", services())
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(query.partition("=")[0])


def test_one_is_found_by_id_by_its_beginning_and_by_an_alert() -> None:
    found = services()
    wanted = next(one for one in found.incident_views if one.alerts)
    first = wanted.alerts[0]
    for name in (wanted.id, wanted.id[:6], first.fingerprint, first.labels["alertname"]):
        body = ask("GET", f"{PATH}/{name}", found).json()
        assert body["id"] == wanted.id
        assert body["timeline"][0]["what"] == "opened"
    assert ask("GET", f"{PATH}/{wanted.id[:3]}", found).status_code == 404
    assert ask("GET", f"{PATH}/nobody", found).status_code == 404


def test_a_beginning_that_several_have_is_refused_with_their_names() -> None:
    from dataclasses import replace

    one = views()[0]
    found = FakeServices(incident_views=[replace(one, id="abcd1"), replace(one, id="abcd2")])
    answer = ask("GET", f"{PATH}/abcd", found)
    assert answer.status_code == 409
    with_alerts = next(each for each in views() if each.alerts)
    found.incident_views = [replace(with_alerts, id="abcd1"), replace(with_alerts, id="abcd2")]
    by_name = ask("GET", f"{PATH}/{with_alerts.alerts[0].labels['alertname']}", found)
    assert (by_name.status_code, "abcd2" in by_name.text) == (409, True)
    assert "abcd1, abcd2" in answer.json()["error"]


@pytest.mark.parametrize("action", list(IncidentAction))
def test_an_act_becomes_a_command(action: IncidentAction) -> None:
    found = services()
    open_one = next(one for one in found.incident_views if one.alerts)
    timed = action in {IncidentAction.ACKNOWLEDGE, IncidentAction.SNOOZE}
    body = {"by": "ada", "note": "n"} | ({"for": "2h"} if timed else {})
    path = f"{PATH}/{open_one.id}/{action.replace(' ', '-')}"
    answer = ask("POST", path, found, json=body)
    if action is IncidentAction.UNACKNOWLEDGE:
        assert answer.status_code == 409
        return
    assert answer.status_code == 200, answer.text
    (command,) = commands(found.publish)
    assert (command.incident, command.action, command.by) == (open_one.id, action, "ada")
    assert command.until == (NOW + 7_200_000 if timed else None)


@pytest.mark.parametrize(
    ("action", "body", "said"),
    [
        ("acknowledge", {}, "by:"),
        ("acknowledge", {"by": "x" * 201}, "by:"),
        ("acknowledge", {"by": "ada", "for": "soon"}, "for:"),
        ("acknowledge", {"by": "ada", "for": "0"}, "for:"),
        ("acknowledge", {"by": "ada", "until": "2h"}, "until:"),
        ("resolve", {"by": "ada", "for": "2h"}, "for:"),
        ("note", {"by": "ada"}, "note:"),
        ("note", {"by": "ada", "note": "x" * 2_001}, "note:"),
        ("note", {"by": 3}, "the body"),
    ],
)
def test_what_cannot_be_done_is_refused_before_it_is_written(
    action: str, body: dict[str, Any], said: str
) -> None:
    found = services()
    open_one = next(one for one in found.incident_views if one.alerts)
    answer = ask("POST", f"{PATH}/{open_one.id}/{action}", found, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(said)
    assert not found.publish.messages


def test_a_resolved_incident_takes_notes_only() -> None:
    found = services()
    over = next(one for one in found.incident_views if one.resolved_at is not None)
    body = {"by": "ada", "note": "x"}
    assert ask("POST", f"{PATH}/{over.id}/acknowledge", found, json=body).status_code == 409
    assert ask("POST", f"{PATH}/{over.id}/note", found, json=body).status_code == 200
    assert ask("POST", f"{PATH}/{over.id}/explode", found, json=body).status_code == 404


def test_an_act_that_the_router_does_not_take_in_says_so() -> None:
    found = services(takes=False)
    name = found.incident_views[0].id
    answer = ask("POST", f"{PATH}/{name}/note", found, json={"by": "ada", "note": "x"})
    assert answer.status_code == 503


def test_an_export_is_a_file_in_which_nothing_of_an_alert_is_markup() -> None:
    found = services()
    open_one = next(one for one in found.incident_views if one.alerts)
    answer = ask("GET", f"{PATH}/{open_one.id}/export?format=markdown", found)
    assert answer.headers["content-type"].startswith("text/markdown")
    assert f"incident-{open_one.id}.md" in answer.headers["content-disposition"]
    for bad in ("<img", "[a](", " *c*", "\x1b", "\n# d", "http://"):
        assert bad not in answer.text
    assert answer.text == markdown(open_one)
    rows = [line for line in answer.text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} <= {3, 4, 5}
    assert ask("GET", f"{PATH}/{open_one.id}/export", found).json()["id"] == open_one.id
    assert ask("GET", f"{PATH}/{open_one.id}/export?format=pdf", found).status_code == 400


def test_a_line_feed_and_a_pipe_stay_in_their_cell() -> None:
    assert escaped("a|b\nc") == r"a\|b\\nc"
    assert escaped("<&>") == "&lt;&amp;&gt;"


def test_a_clock_can_be_read_in_the_source() -> None:
    assert escaped("2026-01-31 12:00:05 UTC") == "2026-01-31 12:00:05 UTC"
    assert escaped("- http://1") == r"\- http\://1"
    assert escaped(r"1\-2") == r"1\\\-2"


def test_lines_that_the_router_dropped_come_from_history() -> None:
    from dataclasses import replace

    one = views()[0]
    short = replace(one, timeline=one.timeline[:1], dropped=1)

    def rows(sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        assert params == {"incident": one.id}
        return [(1, 9, "delivered", "", "ops")]

    found = FakeServices(incident_views=[short], rows=rows)
    body = ask("GET", f"{PATH}/{one.id}", found).json()
    assert [line["number"] for line in body["timeline"]] == [0, 1]
    assert body["timeline_missing"] == 0


def away(sql: str, params: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    raise HistoryAway("it is out")


def test_without_history_an_incident_is_told_and_statistics_are_not() -> None:
    found = services(rows=away)
    assert ask("GET", f"{PATH}/{found.incident_views[0].id}", found).status_code == 200
    answer = ask("GET", f"{PATH}/statistics", found)
    assert answer.status_code == 503
    assert "it is out" in answer.json()["error"]


def test_statistics_are_of_what_history_says() -> None:
    row = ("id", "ops", NOW - 100_000, NOW - 90_000, 1, NOW - 40_000, 1, True, 2, 3, 1)
    open_one = ("id2", "ops", NOW - 50_000, 0, 0, 0, 0, False, 0, 0, 0)
    found = services(rows=lambda sql, params: [row, open_one])
    body = ask("GET", f"{PATH}/statistics?since=1d", found).json()
    assert body["since"] == NOW - 86_400_000
    told = body["all"]
    assert body["receivers"] == {"ops": told}
    assert (told["incidents"], told["acknowledged"], told["resolved"]) == (2, 1, 1)
    assert told["time_to_acknowledge"] == {"mean": 10.0, "median": 10.0, "p90": 10.0}
    assert told["time_to_resolve"]["mean"] == 60.0
    assert (told["false_positive_share"], told["delivered_share"]) == (0.5, 0.75)
    assert (told["escalated"], told["escalated_and_acknowledged"]) == (1, 1)
    assert ask("GET", f"{PATH}/statistics?since=x", found).status_code == 400
