"""What a step writes is all that is needed, and no more."""

from hypothesis import given, settings

from notifiers.group import Group
from notifiers.router import Router
from notifiers.state import State
from schemas.event import Event
from schemas.stage import Received
from tests.unit.notifiers.scenario import (
    Scenario,
    batch,
    is_lost,
    level,
    plan,
    receipt,
    sealed,
    seconds,
)
from tests.unit.notifiers.test_router_replay import Entry, Runtime, logs

ROUTES = """
route: {receiver: ops, group_by: [g], group_wait: 0s, group_interval: 1m, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://x/'}]}]
"""


@settings(max_examples=25, deadline=None)
@given(logs())
def test_what_is_written_makes_the_groups_that_are_in_memory(log: list[Entry]) -> None:
    runtime = Runtime(log)
    router = runtime.start()
    while runtime.offset < len(log):
        runtime.write(runtime.step(router, [runtime.offset]))
        runtime.offset += 1
        assert groups_of(runtime.start()) == groups_of(router)
        for group in router._state.groups.values():
            assert group.firing in (None, firing(router._state, group))


def test_a_group_whose_newest_member_a_plan_took_away_is_written() -> None:
    day = Scenario(ROUTES).fires(0, "a", g="1").fires(1, "b", x="1", g="1")
    route = "group_wait: 0s, routes: [{matchers: [x=1], receiver: ops, group_by: [x]}]"
    day.at(2, *plan(ROUTES.replace("group_wait: 0s", route), 2))
    before = groups_of(day.router)
    assert [one[1] for one in before.values()] == [2, 1]
    assert groups_of(day.restart().router) == before


def test_alerts_that_join_a_group_write_one_entry_and_no_group() -> None:
    day = Scenario(ROUTES).at(0, batch(0, level("firing", 0, alertname="a", g="1")))
    joining = batch(1, *(level("firing", 1, alertname=name, g="1") for name in "bc"))
    assert kinds_written(day, joining) == ["alerts"]


def test_what_became_of_a_delivery_does_not_write_its_incident_again() -> None:
    day = Scenario(ROUTES, courier=is_lost)
    day.at(0, batch(0, level("firing", 0, alertname="a", g="1")))
    [(_, delivery)] = day.deliveries
    assert kinds_written(day, receipt(delivery, seconds(0))) == ["happening", "outbox"]


def kinds_written(day: Scenario, event: Event) -> list[str]:
    """The kind of each entry that this event writes."""
    now = seconds(1)
    step = day.router.step([Received(day.offset, sealed(event, now))], now)
    kinds = sorted(change.key.partition("/")[0] for change in step.changes)
    return [kind for kind in kinds if kind not in ("journal", "meta")]


def groups_of(router: Router) -> dict[str, tuple[object, ...]]:
    router.wake_at()
    return {
        one.id: (one.due, one.revision, one.flushed, one.held, one.members)
        for one in router._state.groups.values()
    }


def firing(state: State, group: Group) -> set[str]:
    return {one for one in group.members if state.alerts[one].fires}
