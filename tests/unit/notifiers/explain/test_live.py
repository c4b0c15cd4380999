"""How an alert stands: each cause, on virtual time."""

import pytest

from notifiers.explain.answer import explanation
from notifiers.explain.asked import Asked, asked
from notifiers.explain.live import AlertNow, ChannelNow, Standing, fires_at
from schemas.commands import SilenceMatcher, SilenceSet
from schemas.deliveries import Why
from schemas.incidents import IncidentAction, IncidentCommand
from schemas.waits import waits
from tests.unit.notifiers.scenario import (
    Scenario,
    batch,
    delivers,
    fp,
    is_lost,
    level,
    plan,
    refuses,
    seconds,
)
from tests.unit.notifiers.stored import explained

ROUTES = """
route:
  receiver: ops
  group_by: [service]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 10m
  routes:
  - {matchers: [severity=none], receiver: "null"}
  - {matchers: [severity=night], receiver: ops, mute_time_intervals: [quiet hours]}
receivers:
- {name: ops, webhook_configs: [{url: 'http://ops/'}]}
- {name: "null"}
inhibit_rules:
- {source_matchers: [alertname=S], target_matchers: [alertname=T], equal: [zone]}
time_intervals:
- {name: quiet hours, time_intervals: [{times: [{start_time: '22:00', end_time: '22:30'}]}]}
"""
"""The day begins at 22:13:20 UTC."""


def now(day: Scenario, at: float, **labels: str) -> AlertNow:
    [found] = explained(day.state.items(), Asked(labels=labels), seconds(at))
    return found


def channel(day: Scenario, at: float, **labels: str) -> ChannelNow:
    [way] = now(day, at, **labels).ways
    [found] = way.channels
    return found


def answer(day: Scenario, at: float, **labels: str) -> str:
    return explanation(now(day, at, **labels), None, seconds(at)).answer


def silence(start: float, end: float, value: str = "A") -> SilenceSet:
    matcher = SilenceMatcher(name="alertname", operator="=~", value=value)
    return SilenceSet(
        id="0b6b",
        sets=((matcher,),),
        starts_at=seconds(start),
        ends_at=seconds(end),
        created_by="ada",
        comment="new disks",
    )


def test_before_group_wait_is_over_it_waits() -> None:
    day = Scenario(ROUTES).fires(5, "A")
    found = channel(day, 8, alertname="A")
    assert (found.standing, found.text) == (Standing.WAITING, "waits for group_wait, 7 s left")
    assert answer(day, 8, alertname="A") == (
        "Nobody was paged for A: ops (webhook) waits for group_wait, 7 s left."
    )


def test_what_was_told_says_when_and_when_it_repeats() -> None:
    day = Scenario(ROUTES).fires(5, "A").until(100)
    found = channel(day, 100, alertname="A")
    assert (found.standing, found.told_at) == (Standing.TOLD, seconds(15))
    assert found.text == "told at 22:13:35, repeats at 22:24:35"
    day.until(700)
    assert day.told_briefly() == [(15, Why.FIRST, "A"), (675, Why.REPEAT, "A")]
    assert found.repeat_at == seconds(675)


def test_a_silence_says_whose_it_is_until_when_and_why() -> None:
    day = Scenario(ROUTES).at(1, silence(1, 2_800)).fires(5, "A").until(100)
    found = channel(day, 100, alertname="A")
    assert found.standing is Standing.HELD
    assert found.text == "silenced by 0b6b of ada until 23:00: new disks"
    assert [(one.cause, one.until) for one in found.held] == [("silence/0b6b", seconds(2_800))]


def test_silenced_after_it_was_told_both_are_said() -> None:
    day = Scenario(ROUTES).fires(5, "A").at(20, silence(20, 2_800)).until(100)
    found = channel(day, 100, alertname="A")
    assert found.text == (
        "told at 22:13:35; since then silenced by 0b6b of ada until 23:00: new disks"
    )
    assert found.repeat_at is None
    assert answer(day, 100, alertname="A").startswith("You were paged because A fires: ")


def test_an_inhibited_alert_names_its_source() -> None:
    day = Scenario(ROUTES).fires(5, "S", "T", zone="a").until(100)
    found = channel(day, 100, alertname="T")
    assert found.text == "inhibited by S (zone=a)"
    assert [one.cause for one in found.held] == [f"alert/{fp(alertname='S', zone='a')}"]


def test_a_muted_route_names_the_interval() -> None:
    day = Scenario(ROUTES).fires(5, "A", severity="night").until(100)
    found = channel(day, 100, alertname="A")
    assert found.text == "muted by the time interval quiet hours of the route"


def test_a_receiver_without_channels_is_named() -> None:
    day = Scenario(ROUTES).fires(5, "A", severity="none").until(100)
    assert channel(day, 100, alertname="A").standing is Standing.NO_CHANNELS
    assert answer(day, 100, alertname="A") == (
        "Nobody was paged for A (severity=none): routed to receiver null that has no channels."
    )


def test_what_is_pending_says_for_how_long() -> None:
    day = Scenario(ROUTES).at(5, batch(5, level("pending", 5, alertname="A")))
    [way] = now(day, 45, alertname="A").ways
    assert (way.receiver, way.due) == ("ops", None)
    assert answer(day, 45, alertname="A") == (
        "Nobody was paged because A is pending: it has held for 40 s, and does not fire yet."
    )


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (45, "has held for 40 s of 5 m, fires in 4 m 20 s"),
        (305, "has held for 5 m of 5 m: fires at the next evaluation"),
    ],
)
def test_what_is_pending_says_how_long_until_it_fires(at: float, text: str) -> None:
    waiting = level("pending", 5, alertname="A").model_copy(update={"reason": waits(300_000)})
    day = Scenario(ROUTES).at(5, batch(5, waiting)).restart()
    assert channel(day, at, alertname="A").text == f"pending: {text}"
    (found,) = explained(day.state.items(), asked(["alertname=A"]), seconds(at))
    assert fires_at(found.level) == seconds(305)
    said = f"Nobody was paged because A is pending: it {text}."
    assert answer(day, at, alertname="A") == said


def test_an_acknowledged_alert_names_who_has_it() -> None:
    day = Scenario(ROUTES).fires(5, "A").until(20)
    incident = day.deliveries[0][1].incident
    act = IncidentCommand(incident=incident, action=IncidentAction.ACKNOWLEDGE, by="ada")
    day.at(30, act).until(700)
    found = channel(day, 700, alertname="A")
    assert found.text == f"told at 22:13:35; since then acknowledged by ada in incident {incident}"
    assert [one.cause for one in found.held] == [f"ack/{incident}"]
    [same] = explained(day.state.items(), asked([incident[:8]]), seconds(700))
    assert same.fingerprint == fp(alertname="A")


def test_a_message_on_its_way_says_which_attempt() -> None:
    day = Scenario(ROUTES, courier=is_lost).fires(5, "A").until(20)
    found = channel(day, 20, alertname="A")
    assert (found.standing, found.attempt) == (Standing.SENDING, 1)
    assert found.text == "being sent: first notification, attempt 1 for 5 s"


def test_what_came_later_waits_for_the_groups_next_look() -> None:
    day = Scenario(ROUTES).fires(5, "A").fires(30, "B")
    assert channel(day, 40, alertname="B").text == "waits for the group's next look, 35 s left"


def test_a_page_that_was_refused_says_so() -> None:
    day = Scenario(ROUTES, courier=refuses).fires(5, "A").until(40).restart()
    assert answer(day, 40, alertname="A") == (
        "Nobody was paged for A: ops (webhook) refused (refused), "
        "decided anew at the group's next look, 35 s left."
    )
    day.courier = delivers
    assert channel(day.until(100), 100, alertname="A").standing is Standing.TOLD
    day.fires(101, "B")
    assert channel(day, 110, alertname="B").text == "waits for the group's next look, 25 s left"


def test_what_resolved_before_anybody_heard_says_so() -> None:
    day = Scenario(ROUTES).fires(5, "A").resolves(8, "A", since=5)
    assert answer(day, 9, alertname="A") == "Nobody was paged for A, which resolved at 22:13:28."
    day.until(100)
    assert channel(day, 100, alertname="A").standing is Standing.OVER


def test_the_end_of_a_page_waits_for_the_next_look() -> None:
    day = Scenario(ROUTES).fires(5, "A").resolves(30, "A", since=5)
    assert channel(day, 40, alertname="A").text == (
        "resolved at 22:13:50; its end is told at 22:14:35"
    )


def test_the_way_is_the_matchers_from_the_root() -> None:
    day = Scenario(ROUTES).fires(5, "A", severity="night")
    [way] = now(day, 8, alertname="A").ways
    assert way.route == ("{}", '{severity="night"}')
    assert way.group == '{}/{severity="night"}:{}'


def test_labels_ask_for_every_alert_that_has_them() -> None:
    day = Scenario(ROUTES).fires(5, "A", "B", service="x").fires(5, "C")
    found = explained(day.state.items(), Asked(labels={"service": "x"}), seconds(8))
    assert {one.level.labels["alertname"] for one in found} == {"A", "B"}
    one = fp(alertname="C")
    assert [each.fingerprint for each in explained(day.state.items(), asked([one]), 0)] == [one]


@pytest.mark.parametrize("words", [[], [""], ["=x"], ["a=b", "c"]])
def test_what_asks_for_nothing_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"wanted|no label"):
        asked(words)


def test_without_a_plan_it_is_said_that_no_routes_are_in_force() -> None:
    day = Scenario().fires(5, "A")
    assert answer(day, 8, alertname="A") == (
        "Nobody was paged because no routes are in force yet for A."
    )
    day.at(9, *plan(ROUTES))
    assert channel(day, 9, alertname="A").standing is Standing.WAITING
