import re
from collections.abc import Callable

import pytest

from notifiers.config import read
from notifiers.incidents.incident import Incident
from schemas.commands import SilenceMatcher, SilenceSet
from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.incidents import IncidentAction, IncidentChanged, IncidentCommand
from tests.unit.notifiers.scenario import (
    Courier,
    Scenario,
    delivers,
    plan,
    postpones,
    receipt,
    refuses,
    seconds,
)

CONFIG = """
route: {receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 10m}
receivers:
- name: ops
  fallback: boss
  webhook_configs: [{url: http://127.0.0.1:1/}]
- name: boss
  webhook_configs: [{url: http://127.0.0.1:1/}]
"""
TWO = CONFIG.replace("1:1/}]\n- name", "1:1/}]\n  file_configs: [{path: f}]\n- name")
CHAIN = CONFIG.replace("- name: boss", "- name: boss\n  fallback: last") + (
    "- {name: last, webhook_configs: [{url: http://127.0.0.1:1/}]}\n"
)
assert TWO != CONFIG != CHAIN


def by(dead: Courier, *names: str, channel: str = "") -> Courier:
    """A courier whom these receivers answer as `dead` says."""

    def answer(delivery: Delivery, at: int) -> Receipt | None:
        is_dead = delivery.receiver in names and (not channel or delivery.channel == channel)
        return (dead if is_dead else delivers)(delivery, at)

    return answer


def told(day: Scenario, receiver: str = "boss") -> list[tuple[float, Why, str]]:
    return [(one.at, one.why, one.firing) for one in day.told() if one.receiver == receiver]


def test_a_page_that_is_refused_reaches_the_fallback_at_once() -> None:
    day = Scenario(CONFIG, courier=by(refuses, "ops")).fires(0, "a").until(20)
    assert told(day) == [(10, Why.ESCALATED, "a")]
    assert day.deliveries[-1][1].notice == "ops could not be reached"


@pytest.mark.parametrize("dead", [postpones, lambda delivery, at: None])
def test_a_page_that_is_not_taken_reaches_the_fallback_in_time(dead: Courier) -> None:
    day = Scenario(CONFIG, courier=by(dead, "ops")).fires(0, "a").until(309)
    assert told(day) == []
    assert told(day.restart().until(320)) == [(310, Why.ESCALATED, "a")]


def test_a_receiver_that_wants_to_be_left_alone_does_not_keep_the_fallback_waiting() -> None:
    def busy(delivery: Delivery, at: int) -> Receipt:
        return receipt(delivery, at, Fate.RETRY, retry_at=at + 3_600_000)

    text = CONFIG.replace("fallback: boss", "fallback: boss\n  fallback_after: 90s")
    day = Scenario(text, courier=by(busy, "ops")).fires(0, "a").until(200)
    assert told(day) == [(100, Why.ESCALATED, "a")]


def test_the_receiver_is_still_tried() -> None:
    day = Scenario(CONFIG, courier=by(refuses, "ops")).fires(0, "a").until(75)
    assert [one[0] for one in told(day, "ops")] == [10, 70]
    day.courier = delivers
    day.until(200)
    assert [one[0] for one in told(day, "ops")] == [10, 70, 130]


def test_one_page_calls_the_fallback_once_and_then_it_hears_of_everything() -> None:
    day = Scenario(CONFIG, courier=by(refuses, "ops")).fires(0, "a").until(300)
    assert len(told(day)) == 1
    day.restart().fires(310, "b").until(400).resolves(410, "a", "b").until(500)
    assert [one[1:] for one in told(day)][1:] == [(Why.GREW, "a b"), (Why.ALL_RESOLVED, "")]


def test_the_next_incident_calls_it_again() -> None:
    day = Scenario(CONFIG, courier=by(refuses, "ops")).fires(0, "a").until(20)
    day.resolves(30, "a").until(100).fires(200, "a").until(300)
    whys = [one[1] for one in told(day)]
    assert whys == [Why.ESCALATED, Why.ALL_RESOLVED, Why.ESCALATED]


def test_one_channel_that_takes_the_page_is_enough() -> None:
    for dead in (refuses, postpones):
        day = Scenario(TWO, courier=by(dead, "ops", channel="webhook")).fires(0, "a").until(3_000)
        assert told(day) == []


def test_a_refusal_waits_for_the_channel_that_is_still_tried() -> None:
    def each(delivery: Delivery, at: int) -> Receipt | None:
        return (refuses if delivery.channel == "webhook" else postpones)(delivery, at)

    day = Scenario(TWO, courier=by(each, "ops")).fires(0, "a").until(400)
    assert told(day) == [(310, Why.ESCALATED, "a")]


def test_what_is_taken_late_but_in_time_calls_nobody_else() -> None:
    day = Scenario(CONFIG, courier=by(postpones, "ops")).fires(0, "a").until(100)
    day.courier = delivers
    assert told(day.until(1_000)) == []


def silenced(day: Scenario, at: float) -> Scenario:
    matcher = SilenceMatcher(name="alertname", operator="=", value="a")
    begin, end = seconds(at), seconds(at + 5_000)
    return day.at(
        at,
        SilenceSet(
            id="s",
            sets=((matcher,),),
            starts_at=begin,
            ends_at=end,
            created_by="ann",
            comment="",
        ),
    )


def resolved(day: Scenario, at: float) -> Scenario:
    return day.resolves(at, "a")


def acknowledged(day: Scenario, at: float) -> Scenario:
    incident = day.deliveries[-1][1].incident
    action = IncidentAction.ACKNOWLEDGE
    return day.at(at, IncidentCommand(incident=incident, action=action, by="ada"))


def without(day: Scenario, at: float) -> Scenario:
    return day.at(at, *plan(CONFIG.replace("  fallback: boss\n", ""), 2))


@pytest.mark.parametrize("happens", [silenced, resolved, acknowledged, without])
def test_what_needs_no_page_any_more_calls_nobody(
    happens: Callable[[Scenario, float], Scenario],
) -> None:
    day = Scenario(CONFIG, courier=by(postpones, "ops")).fires(0, "a").until(20)
    happens(day, 30).restart().until(1_500)
    assert told(day) == []
    assert not [key for key in day.state if key.startswith("fallback/")]


def test_a_fallback_may_have_one_of_its_own() -> None:
    day = Scenario(CHAIN, courier=by(refuses, "ops", "boss")).fires(0, "a").until(20)
    assert told(day, "last") == [(10, Why.ESCALATED, "a")]
    assert day.deliveries[-1][1].notice == "boss could not be reached"


def test_it_stands_in_the_timeline() -> None:
    day = Scenario(CONFIG, courier=by(refuses, "ops")).fires(0, "a").until(20)
    [incident] = day.router._state.incidents.known.values()
    assert isinstance(incident, Incident)
    lines = day.router._state.incidents.timelines.of(incident.id)
    assert "fallback told" in [line.what for line in lines]
    assert IncidentChanged.KIND == "incident-changed"


def test_a_file_without_fallbacks_keeps_nothing_of_them() -> None:
    text = CONFIG.replace("  fallback: boss\n", "")
    day = Scenario(text, courier=by(postpones, "ops")).fires(0, "a").until(400)
    assert not [key for key in day.state if key.startswith("fallback/")]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            CONFIG.replace("fallback: boss", "fallback: bos"),
            'routes.yml:5: .*undefined receiver "bos"',
        ),
        (CONFIG.replace("fallback: boss", "fallback: ops"), "circle: ops -> ops"),
        (CONFIG.replace("name: boss", "name: boss\n  fallback: ops"), "circle: ops -> boss -> ops"),
        (CONFIG.replace("fallback: boss", "fallback_after: 1m"), "there is no fallback"),
        (CONFIG.replace("fallback: boss", "fallback: boss\n  fallback_after: 0s"), "1s to 1d"),
        (CONFIG.replace("fallback: boss", "fallback:"), "the name of a receiver is wanted"),
    ],
)
def test_mistakes_are_named(text: str, want: str) -> None:
    config, problems = read(text, "routes.yml")
    assert config is None
    assert any(re.search(want, str(one)) for one in problems), problems
