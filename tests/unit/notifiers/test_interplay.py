"""Where two parts of the router meet: nothing is lost between them, and nobody is paged twice."""

import pytest

from notifiers.alarms import Alarms
from schemas.deliveries import Delivery, Receipt, Why
from schemas.incidents import IncidentAction, IncidentCommand
from tests.unit.notifiers.scenario import Courier, Scenario, delivers, plan, postpones, refuses
from tests.unit.notifiers.scenario import seconds as log_time

ROUTES = """
route:
  receiver: first
  group_by: [g]
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 20m
  {route}
receivers:
- name: first
  webhook_configs: [{{url: 'http://x/'}}]
  {first}
- {{name: second, webhook_configs: [{{url: 'http://x/'}}]}}
- {{name: nobody}}
{top}
"""
POLICY = "escalation_policies: [{name: p, steps: [{notify: [{receiver: second}], wait: 5m}]}]"
FALLBACK = "fallback: second\n  fallback_after: 30s"


def routes(route: str = "", first: str = "", top: str = "") -> str:
    return ROUTES.format(route=route, first=first, top=top)


def unless_first(other: Courier) -> Courier:
    """The first receiver fails so; the second takes everything."""

    def answers(delivery: Delivery, at: int) -> Receipt | None:
        return other(delivery, at) if delivery.receiver == "first" else delivers(delivery, at)

    return answers


def does(day: Scenario, at: float, action: IncidentAction, until: float | None = None) -> Scenario:
    """Ann does it to every incident."""
    day.until(at)
    ends = None if until is None else log_time(until)
    for one in day.router.incidents():
        day.at(at, IncidentCommand(incident=one.id, action=action, by="ann", until=ends))
    return day


def told(day: Scenario, receiver: str, since: float = 0) -> list[tuple[Why, str, str]]:
    return [
        (one.why, one.firing, one.resolved)
        for one in day.told()
        if one.receiver == receiver and one.at >= since
    ]


def storm(day: Scenario, count: int) -> Scenario:
    for number in range(count):
        day.fires(1 + number, f"A{number}", g=str(number))
    return day


@pytest.mark.parametrize("other", [refuses, postpones])
def test_what_a_digest_could_not_tell_reaches_the_fallback(other: Courier) -> None:
    first = f"{FALLBACK}\n  rate_limit: {{messages: 1, per: 60s}}"
    day = storm(Scenario(routes(first=first), courier=unless_first(other)), 3).until(200)
    assert sorted(firing for _, firing, _ in told(day, "second")) == ["A0", "A1", "A2"]


def test_what_joins_an_acknowledged_incident_reaches_the_fallback() -> None:
    day = Scenario(routes(first=FALLBACK)).fires(1, "A", g="0")
    does(day, 5, IncidentAction.ACKNOWLEDGE)
    day.courier = unless_first(refuses)
    day.until(100)
    assert told(day, "second") == []
    day.fires(101, "B", g="0").until(150)
    assert told(day, "second") == [(Why.FIRST, "A B", "")]
    [page] = [one for _, one in day.deliveries if one.receiver == "second"]
    assert page.notice == "first could not be reached"


def limited(messages: int) -> str:
    return routes(first=f"rate_limit: {{messages: {messages}, per: 60s}}")


@pytest.mark.parametrize("other", [refuses, postpones])
def test_the_page_of_an_acknowledgement_that_ended_outlives_a_digest_that_failed(
    other: Courier,
) -> None:
    day = storm(Scenario(limited(2)), 2)
    does(day, 5, IncidentAction.ACKNOWLEDGE, until=20)
    day.until(60)
    day.courier = other
    day.until(62).fires(63, "A2", g="0")
    day.courier = delivers
    day.until(500)
    assert told(day, "first", 63)[0] == (Why.DIGEST, "A0 A1 A2", "")


def test_a_digest_of_what_somebody_has_is_not_tried_again_but_its_end_is_told() -> None:
    day = storm(Scenario(limited(1)), 3).until(60)
    day.courier = postpones
    day.until(62)
    day.courier = delivers
    does(day, 63, IncidentAction.ACKNOWLEDGE).until(300)
    assert told(day, "first", 63) == []
    for number in (1, 2):
        day.resolves(300, f"A{number}", since=1 + number, g=str(number))
    day.until(500)
    assert told(day, "first", 63) == [
        (Why.ALL_RESOLVED, "", "A1"),
        (Why.ALL_RESOLVED, "", "A2"),
    ]


def test_what_flaps_pages_nobody_after_an_acknowledgement() -> None:
    top = "flap_detection: {changes: 3, within: 5m, stable: 10m}"
    day = Scenario(routes(top=top).replace("20m", "20s"))
    for at in (1, 4, 7):
        day.fires(at, "A", g="0").resolves(at + 1, "A", since=at, g="0")
    day.until(20)
    assert told(day, "first")[-1] == (Why.FIRST, "A", "")
    # It is quiet when it is acknowledged, and goes on afterwards.
    does(day, 21, IncidentAction.ACKNOWLEDGE).fires(70, "A", g="0")
    day.resolves(90, "A", since=70, g="0").fires(95, "A", g="0").restart().until(300)
    assert told(day, "first", 21) == []
    day.resolves(300, "A", since=95, g="0").until(1_000)
    assert told(day, "first", 21) == [(Why.ALL_RESOLVED, "", "A")]


def unless_second(delivery: Delivery, at: int) -> Receipt | None:
    return (postpones if delivery.receiver == "second" else delivers)(delivery, at)


@pytest.mark.parametrize("courier", [delivers, unless_second])
def test_whom_an_earlier_incident_brought_in_hears_its_end_after_a_new_plan(
    courier: Courier,
) -> None:
    content = routes(route="escalation_policy: p", top=POLICY)
    day = Scenario(content, courier=courier).fires(1, "A", g="0")
    does(day, 12, IncidentAction.RESOLVE)
    day.courier = delivers
    content = content.replace("escalation_policy: p", "escalation_policy: none")
    day.at(14, *plan(content, 2)).fires(15, "B", g="0").until(40)
    day.at(41, *plan(content + "\n# a comment", 3))
    day.resolves(50, "A", "B", since=1, g="0").until(100)
    assert told(day, "second")[-1] == (Why.ALL_RESOLVED, "", "A B")


def test_an_end_is_told_though_what_fires_since_is_not_for_that_receiver() -> None:
    content = routes(route="escalation_policy: p", top=POLICY)
    day = Scenario(content).fires(1, "A", g="0")
    does(day, 12, IncidentAction.RESOLVE)
    day.at(14, *plan(content.replace("escalation_policy: p", "escalation_policy: none"), 2))
    day.fires(22, "B", g="0").resolves(23, "A", since=1, g="0").until(60)
    assert told(day, "second")[1:] == [(Why.SOME_RESOLVED, "B", "A")]


def test_an_end_is_told_though_somebody_has_what_fires_since() -> None:
    top = "suppression: tocsin\ninhibit_rules: [{source_matchers: [alertname=I]"
    content = routes(top=top + ", target_matchers: [alertname=A]}]")
    day = Scenario(content).fires(1, "A", g="0").fires(5, "I", g="1").until(25)
    day.courier = postpones
    day.resolves(30, "A", since=1, g="0").fires(30, "B", g="0").until(32)
    day.courier = delivers
    does(day, 33, IncidentAction.ACKNOWLEDGE).until(60)
    assert told(day, "first", 33) == [(Why.SOME_RESOLVED, "B", "A")]


def test_escalation_begins_though_the_receiver_of_the_route_has_no_channels() -> None:
    content = routes(route="escalation_policy: p", top=POLICY).replace(
        "receiver: first", "receiver: nobody"
    )
    day = Scenario(content).fires(1, "A", g="0").until(5)
    assert told(day, "second") == [(Why.ESCALATED, "A", "")]
    day.resolves(20, "A", since=1, g="0").until(60)
    assert told(day, "second")[1:] == [(Why.ALL_RESOLVED, "", "A")]
    # The group's next incident, too; and nobody is called for what somebody has.
    day.fires(100, "A", g="0").until(105)
    assert told(day, "second")[2:] == [(Why.ESCALATED, "A", "")]
    does(day, 110, IncidentAction.RESOLVE).until(5_000)
    assert len(told(day, "second")) == 3


def test_a_group_that_a_plan_ends_waits_for_no_digest() -> None:
    day = storm(Scenario(limited(1)), 3).until(5)
    day.at(6, *plan(limited(1).replace("group_by: [g]", "group_by: [h]"), 2)).until(7)
    due = day.router.wake_at()
    held = {one: set(groups) for one, groups in day.router._state.limits.held.items()}
    assert len(held.popitem()[1]) == 1
    assert day.restart().router.wake_at() == due


def test_what_is_owed_to_a_channel_that_hears_of_no_end_is_forgotten_with_the_alert() -> None:
    top = "suppression: tocsin\ninhibit_rules: [{source_matchers: [alertname=I]"
    content = routes(top=top + ", target_matchers: [alertname=A]}]").replace(
        "{url: 'http://x/'}", "{url: 'http://x/', send_resolved: false}"
    )
    day = Scenario(content).fires(1, "A", "Z", g="0").fires(5, "I", g="1").until(15)
    lines = [one for group in day.router._state.groups.values() for one in group.lines.values()]
    [line] = [one for one in lines if one.owed]
    assert len(line.owed) == 1
    day.resolves(20, "A", since=1, g="0").until(100)
    assert line.owed == frozenset()


def test_an_alarm_that_is_moved_for_ever_takes_no_more_room() -> None:
    alarms = Alarms()
    for at in range(20_000):
        alarms.set("job", 1_000_000 + at)
        alarms.set(f"other {at % 3}", 2_000_000)
    assert len(alarms.heap) < 2_000
    assert alarms.next() == (1_019_999, "job")
    alarms.set("job", None)
    assert alarms.next() == (2_000_000, "other 0")
