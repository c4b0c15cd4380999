"""The laws of escalation, over days in which everything happens."""

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.incidents.incident import Incident, IncidentState
from notifiers.router import Router
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.deliveries import Delivery, Fate, Why
from schemas.event import Event
from schemas.incidents import IncidentAction, IncidentCommand
from schemas.oncall import OverrideEnded, OverrideSet
from schemas.plans import WakeUp
from schemas.stage import Received
from tests.unit.notifiers.escalation.day import FILE, escalated
from tests.unit.notifiers.scenario import Scenario, batch, level, plan, receipt, sealed, seconds
from tests.unit.notifiers.test_router_replay import Entry, Runtime, fresh, uninterrupted

QUICK = FILE.replace("group_interval: 10m", "group_interval: 20s").replace("5m", "15s")
QUICK = QUICK.replace("10m", "40s").replace("wait: 1m", "wait: 10s").replace("24h", "2m")
PLANS = [
    QUICK,
    QUICK.replace("{critical: urgent, default: calm}", "calm"),
    QUICK.replace("{critical: urgent, default: calm}", "none"),
    QUICK.replace("[{schedule: primary}], wait", "[{schedule: empty}], wait"),
    QUICK.replace("suppression", "suppression") + "suppression: tocsin\n",
]
WHAT = ["time", "time", "time", "alerts", "alerts", "command", "command", "override", "other"]


def incidents(router: Router) -> dict[str, Incident]:
    return router._state.incidents.known


@st.composite
def days(draw: st.DrawFn) -> list[Entry]:
    """A log, as a router and a courier of some luck wrote it."""
    router, entries, now = fresh(), [], 0.0
    fates = st.sampled_from([Fate.DELIVERED] * 3 + [Fate.REFUSED, Fate.RETRY, None])

    def append(event: Event) -> None:
        entries.append(Entry(seconds(now), event))
        received = Received(len(entries) - 1, sealed(event, seconds(now)))
        for output in router.step([received], seconds(now)).outputs:
            if isinstance(output.event, Delivery) and (fate := draw(fates)) is not None:
                append(receipt(output.event, seconds(now), fate, retry_at=seconds(now + 3)))

    append(plan(QUICK)[0])
    number = 2
    for _ in range(draw(st.integers(5, 30))):
        what = draw(st.sampled_from(WHAT))
        if what == "time":
            for _ in range(draw(st.integers(1, 5))):
                if (due := router.wake_at()) is None:
                    break
                now = max(now, (due - seconds(0)) / 1_000)
                append(WakeUp(stage="router", due=due))
            continue
        now += draw(st.integers(0, 9))
        if what == "alerts":
            append(draw(alerts(now)))
        elif what == "command" and incidents(router):
            append(draw(commands(now, sorted(incidents(router)))))
        elif what == "override":
            append(draw(overrides(now)))
        elif draw(st.booleans()):
            append(plan(draw(st.sampled_from(PLANS)), number)[0])
            number += 1
        else:
            append(draw(silences(now)))
    return entries


@st.composite
def alerts(draw: st.DrawFn, now: float) -> Event:
    state = draw(st.sampled_from(["firing", "firing", "resolved"]))
    severity = draw(st.sampled_from(["critical", "low"]))
    name = draw(st.sampled_from(["a", "b"]))
    labels = {"alertname": name, "service": draw(st.sampled_from(["x", "y"]))}
    return batch(now, level(state, now, now - 1, severity=severity, **labels))


@st.composite
def commands(draw: st.DrawFn, now: float, names: list[str]) -> Event:
    return IncidentCommand(
        incident=draw(st.sampled_from(names)),
        action=draw(st.sampled_from([*IncidentAction, IncidentAction.ACKNOWLEDGE])),
        by="kim",
        until=draw(st.none() | st.integers(1, 99).map(lambda more: seconds(now + more))),
    )


@st.composite
def overrides(draw: st.DrawFn, now: float) -> Event:
    name = draw(st.sampled_from(["o1", "o2"]))
    if draw(st.booleans()):
        return OverrideEnded(id=name)
    begins = now + draw(st.integers(-20, 20))
    return OverrideSet(
        id=name,
        schedule=draw(st.sampled_from(["primary", "empty", "gone"])),
        user=draw(st.sampled_from(["ada", "bob", "eve", "nobody"])),
        start=seconds(begins),
        end=seconds(begins + draw(st.integers(0, 60))),
    )


@st.composite
def silences(draw: st.DrawFn, now: float) -> Event:
    if draw(st.booleans()):
        return SilenceExpired(id="s")
    matcher = SilenceMatcher(name="service", operator="=", value="x")
    ends = seconds(now + draw(st.integers(1, 60)))
    return SilenceSet(
        id="s",
        sets=((matcher,),),
        starts_at=seconds(now),
        ends_at=ends,
        created_by="kim",
        comment="",
    )


@settings(max_examples=80, deadline=None)
@given(days())
def test_nobody_is_escalated_to_once_somebody_has_it(log: list[Entry]) -> None:
    router = fresh()
    for offset, entry in enumerate(log):
        taken = {
            name
            for name, one in incidents(router).items()
            if one.state is IncidentState.RESOLVED
            or (
                one.state is IncidentState.ACKNOWLEDGED
                and (one.acknowledged_until is None or one.acknowledged_until > entry.at)
            )
        }
        given_back = (
            {entry.event.incident}
            if isinstance(entry.event, IncidentCommand)
            and entry.event.action is IncidentAction.UNACKNOWLEDGE
            else set()
        )
        step = router.step([Received(offset, sealed(entry.event, entry.at))], entry.at)
        sent = {
            output.event.incident
            for output in step.outputs
            if isinstance(output.event, Delivery) and output.event.why is Why.ESCALATED
        }
        assert not sent & (taken - given_back)


@settings(max_examples=80, deadline=None)
@given(days(), st.data())
def test_a_router_killed_between_any_two_writes_escalates_the_same(
    log: list[Entry], data: st.DataObject
) -> None:
    want = uninterrupted(log)
    runtime = Runtime(log)
    router, kills = runtime.start(), data.draw(st.integers(1, 6))
    while runtime.offset < len(log):
        offsets = runtime.batch(data.draw(st.integers(1, 5)))
        step = runtime.step(router, offsets)
        if kills and data.draw(st.booleans()):
            kills -= 1
            runtime.write(step, data.draw(st.integers(0, len(step.changes))))
            router = runtime.start()
            continue
        runtime.write(step)
        runtime.offset = offsets[-1] + 1
    assert runtime.order == want.order
    assert runtime.said == want.said


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=5),
    st.integers(0, 3),
    st.lists(st.integers(0, 3_000), max_size=4),
)
def test_every_step_of_every_round_comes_after_the_waits_before_it(
    waits: list[int], repeat: int, restarts: list[int]
) -> None:
    scenario = Scenario(_policy(waits, repeat)).fires(0, "a")
    for at in sorted(restarts):
        scenario.until(at).restart()
    scenario.until(5 * sum(waits))
    want, now = [], 0
    for _ in range(repeat + 1):
        for number, wait in enumerate(waits):
            want.append((now, f"step{number}"))
            now += wait
    assert escalated(scenario) == want


def _policy(waits: list[int], repeat: int) -> str:
    steps = "".join(
        f"  - {{notify: [{{receiver: step{number}}}], wait: {wait}s}}\n"
        for number, wait in enumerate(waits)
    )
    receivers = "".join(
        f"- {{name: step{number}, webhook_configs: [{{url: http://x}}]}}\n"
        for number in range(len(waits))
    )
    return (
        "route: {receiver: all, group_wait: 0s, repeat_interval: 9d, escalation_policy: p}\n"
        f"receivers:\n- {{name: all, webhook_configs: [{{url: http://x}}]}}\n{receivers}"
        f"escalation_policies:\n- name: p\n  repeat: {repeat}\n  steps:\n{steps}"
    )
