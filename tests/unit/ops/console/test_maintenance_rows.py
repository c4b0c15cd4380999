from dataclasses import replace
from typing import Any

import pytest

from notifiers.explain.asked import Asked
from notifiers.matcher import Matcher, Operator
from notifiers.silences import Silence
from notifiers.view import SilenceView
from notifiers.windows.reach import reach
from notifiers.windows.spans import Span
from notifiers.windows.view import view_of
from notifiers.windows.window import window_of
from ops.console.incident_rows import (
    alert_lines,
    incident_rows,
    incidents_of_alerts,
    timeline_lines,
    who,
)
from ops.console.maintenance_rows import (
    hidden_rows,
    incident_matchers,
    preview_lines,
    schedule_text,
    span_text,
)
from ops.console.rows import NOWHERE, alert_rows
from ops.console.why_rows import more_text, why_lines
from ops.explaining import explain
from ops.maintenance import Preview, previewed, wish_of
from schemas.incidents import IncidentAction, IncidentCommand, IncidentState
from schemas.windows import Calendar, Repeat, WindowOpened
from tests.support.fake_services import FakeAlert
from tests.support.routed_services import RoutedServices
from tests.unit.notifiers.scenario import seconds
from tests.unit.notifiers.windows.making import HOUR, wish

SETS = ((Matcher("a", Operator.EQUAL, "b"),),)
NOW = seconds(0)
TOKYO = Repeat(weekdays=(2, 4), minute=125, length=2 * HOUR, location="Asia/Tokyo")


def silence(start: float, end: float) -> SilenceView:
    one = Silence("s", SETS, seconds(start), seconds(end), "ada", "disks")
    return SilenceView(one, one.state_at(NOW))


def rows(*, over: bool = False, **fields: Any) -> dict[str, Any]:
    (row,) = hidden_rows([], [view_of(window_of(wish(**fields)), NOW)], NOW, over=over)
    return row


def test_a_silence_says_how_long_it_lasts() -> None:
    (active,) = hidden_rows([silence(-60, 7_200)], [], NOW, over=False)
    assert (active["state"], active["when"], active["matchers"]) == (
        "active",
        "ends in 2h 0m",
        'a="b"',
    )
    (pending,) = hidden_rows([silence(60, 90)], [], NOW, over=False)
    assert pending["when"] == "begins in 1m 0s"
    assert hidden_rows([silence(-9, -5)], [], NOW, over=False) == []
    (over,) = hidden_rows([silence(-9, -5)], [], NOW, over=True)
    assert over["when"] == "over for 5s"


@pytest.mark.parametrize(
    ("fields", "kind", "detail"),
    [
        (
            {
                "repeats": [
                    Repeat(weekdays=(2, 4), minute=125, length=2 * HOUR, location="Asia/Tokyo")
                ]
            },
            "recurring",
            "Tue, Thu 02:05 for 2h, Asia/Tokyo",
        ),
        ({"calendars": [Calendar(times=((0, 60),))]}, "recurring", "calendar (times), UTC"),
        ({"timeout": HOUR, "service": "shop"}, "deploy", "deploys of shop, at most 1h"),
        ({"end": 3_600}, "once", "Tue 14 Nov 22:13 – 23:13 UTC"),
    ],
)
def test_a_window_says_when_it_holds(fields: dict[str, Any], kind: str, detail: str) -> None:
    row = rows(**fields)
    assert (row["kind"], row["detail"]) == (kind, detail)


def test_a_deploys_window_waits() -> None:
    assert rows(timeout=HOUR)["when"] == "waits for a deploy"


def test_the_active_ones_stand_first_and_then_what_ends_first() -> None:
    views = [
        view_of(window_of(wish(start, end).model_copy(update={"id": name})), NOW)
        for name, start, end in (("late", 0, 900), ("soon", 0, 60), ("later", 10, 20))
    ]
    assert [row["id"] for row in hidden_rows([], views, NOW, over=False)] == [
        "soon",
        "late",
        "later",
    ]


def test_a_span_names_both_days_where_it_spans_midnight() -> None:
    text = span_text(Span(NOW, NOW + 2 * HOUR), "Europe/Berlin")
    assert text == "Tue 14 Nov 2023 23:13 – Wed 15 Nov 2023 01:13 CET"


def test_a_preview_names_twenty_alerts_and_counts_the_rest() -> None:
    alerts = [FakeAlert({"alertname": f"A{n:02}", "a": "b"}) for n in range(23)]
    window = window_of(wish(0, 60))
    found = Preview(window, alerts, reach(SETS, [one.labels for one in alerts]), ())
    lines = preview_lines(found)
    assert lines[0] == "Hides 23 of 23 alerts now."
    assert (lines[1], lines[-1]) == ("firing: A00", "and 3 more")


def test_a_preview_of_a_deploy_is_as_if_it_began_now() -> None:
    services = RoutedServices()
    text = '{"service": "shop", "owner": "ada", "timeout": "10m"}'
    found = previewed(services, wish_of(services, text))
    assert found.spans == (Span(NOW, NOW + 600_000),)
    assert schedule_text(found.window) == "deploys of shop, at most 10m"


def test_an_open_deploy_ends_at_its_time_out() -> None:
    services = RoutedServices()
    services.day.at(0, wish(0, None, timeout=600_000), WindowOpened(id="w"))
    (row,) = hidden_rows([], services.windows(), services.now(), over=False)
    assert (row["state"], row["when"]) == ("active", "ends in 10m 0s")


def test_an_incident_from_its_opening_to_its_end() -> None:
    services = RoutedServices()
    services.day.fires(0, "a", service="shop").until(20)
    (row,) = incident_rows(services.incidents(), services.now(), over=False)
    assert (row["state"], row["title"], row["who"]) == ("open", "a", "nobody has it")
    (incident,) = services.incidents()
    assert alert_lines(incident)[0]["labels"] == "service=shop"
    take = IncidentCommand(
        incident=incident.id, action=IncidentAction.ACKNOWLEDGE, by="ada", until=seconds(3_630)
    )
    services.day.at(30, take)
    (incident,) = services.incidents()
    assert who(incident, services.now()) == "ada has it, for 1h 0m more"
    assert alert_lines(incident)[0]["covered"] == "pages nobody"
    assert timeline_lines(incident)[0] | {"detail": ""} == {
        "at": "14 Nov 22:13:50 UTC",
        "what": "acknowledged",
        "by": "ada",
        "detail": "",
    }
    end = IncidentCommand(incident=incident.id, action=IncidentAction.RESOLVE, by="bob")
    services.day.at(40, end)
    assert incident_rows(services.incidents(), services.now(), over=False) == []
    (row,) = incident_rows(services.incidents(), services.now(), over=True)
    assert row["who"] == "resolved 0s ago by bob"


def test_why_names_the_window_that_holds_an_alert() -> None:
    services = RoutedServices()
    services.day.at(0, wish(0, 600)).fires(1, "a").until(60)
    found = explain(services, Asked(labels={"alertname": "a"}))
    (line,) = why_lines(found)
    assert (line.channels[0].name, line.channels[0].standing) == ("r / webhook", "held")
    assert "window" in line.channels[0].causes[0]
    assert line.channels[0].way == "root"
    assert more_text(found) == ""


def test_the_matchers_of_an_incident_are_what_all_its_alerts_have() -> None:
    services = RoutedServices()
    services.day.fires(0, "a", "b", service='sh"op').until(60)
    (one,) = services.incidents()
    assert incident_matchers(one) == [r'service="sh\"op"']
    assert incident_matchers(replace(one, alerts=one.alerts[:1])) == [
        f'alertname="{one.alerts[0].labels["alertname"]}"',
        r'service="sh\"op"',
    ]
    assert incident_matchers(replace(one, alerts=(), labels={"x": "y"})) == ['x="y"']


def test_an_alerts_row_names_its_incident_and_who_has_it() -> None:
    services = RoutedServices()
    services.day.fires(0, "a", "b").until(60)
    (incident,) = services.incidents()
    found = incidents_of_alerts([incident], services.now())
    rows = {row["alert"]: row for row in alert_rows(services.alerts(), services.now(), found)}
    assert {row["incident"] for row in rows.values()} == {incident.id}
    assert rows["a"]["incident_state"] == "open"
    assert rows["a"]["whose"] == "nobody has it"
    (alone,) = alert_rows([FakeAlert({"alertname": "c"})], NOW, found)
    assert {key: alone[key] for key in NOWHERE} == dict(NOWHERE)


def test_of_several_incidents_an_alert_names_the_open_one_and_counts_the_rest() -> None:
    services = RoutedServices()
    services.day.fires(0, "a").until(60)
    (first,) = services.incidents()
    taken = replace(first, id="taken", state=IncidentState.ACKNOWLEDGED, opened_at=NOW + 9)
    over = replace(first, id="over", state=IncidentState.RESOLVED, opened_at=NOW + 99)
    ((row),) = incidents_of_alerts([over, taken, first], services.now()).values()
    assert (row["incident"], row["whose"]) == (first.id, "nobody has it; 1 more")
