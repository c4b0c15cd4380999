"""The law of replay: cut anywhere, restore from whatever was written, decide the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers import alert_log
from notifiers.outbox import GRACE
from notifiers.router import Router
from notifiers.storms import digest
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.commands import SilenceExpired, SilenceMatcher, SilenceSet
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.event import Event
from schemas.incidents import IncidentAction, IncidentCommand
from schemas.plans import Plan, WakeUp
from schemas.stage import Output, Received, Step
from schemas.windows import WindowClosed, WindowEnded, WindowOpened, WindowSet
from tests.unit.notifiers.scenario import plan, receipt, sealed, seconds

ROUTES = """
route:
  receiver: all
  group_by: [g]
  group_wait: {wait}
  group_interval: 20s
  repeat_interval: 60s
  routes:
  - {{matchers: [g="0"], receiver: two, continue: true, group_wait: 0s, {times}: [night]}}
  - {{matchers: [g="1"], receiver: quiet, group_by: ['...']}}
receivers:
- {{name: all, webhook_configs: [{{url: 'http://x/'}}]}}
- name: two
  fallback: quiet
  fallback_after: 10s
  webhook_configs: [{{url: 'http://x/'}}]
  file_configs: [{{path: f}}]
- {{name: quiet, webhook_configs: [{{url: 'http://x/', send_resolved: false}}]}}
global: {{resolve_timeout: 15s}}
inhibit_rules:
- {{source_matchers: [alertname=A0], target_matchers: ['alertname=~"A[1-5]"'], equal: [g]}}
- {{source_matchers: [alertname=A4], target_matchers: ['alertname=~"A.*"'], equal: [h]}}
time_intervals:
- name: night
  time_intervals: [{{times: [{{start_time: '22:14', end_time: '22:15'}}]}}]
suppression: {mode}
"""
"""The log begins at 22:13:20 UTC."""
STORMS = """
rate_limit: {{messages: 2, per: 30s}}
flap_detection: {{changes: 3, within: 60s, stable: 20s}}
"""
WHAT = ["alerts", "alerts", "time", "alerts", "time", "plan", "silence", "silence", "window"]
WHAT += ["incident", "incident"]


@pytest.fixture(scope="module", autouse=True)
def a_line_at_once() -> Iterator[None]:
    """A digest of more than one group is done in several steps; the log of alerts is short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest, "AT_ONCE", 1)
        patch.setattr(alert_log, "SLACK", 0)
        patch.setattr(alert_log, "MOST", 2)
        yield


@dataclass(frozen=True)
class Entry:
    """One record of the log."""

    at: int
    event: Event


def fresh() -> Router:
    """Every order is written, so that a late level is dropped after a restart as before it."""
    return Router(order_slack=0)


def named(outputs: list[Output]) -> list[tuple[str, str, str]]:
    return [(one.topic, one.id, one.event.model_dump_json()) for one in outputs]


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """A log with everything in it, as a router and a courier of some luck wrote it."""
    router, entries, now = fresh(), [], 0
    fates = st.sampled_from([Fate.DELIVERED, Fate.DELIVERED, Fate.REFUSED, Fate.RETRY, None])

    def append(event: Event) -> None:
        entries.append(Entry(seconds(now), event))
        received = Received(len(entries) - 1, sealed(event, seconds(now)))
        for output in router.step([received], seconds(now)).outputs:
            if isinstance(output.event, Delivery) and (fate := draw(fates)) is not None:
                append(receipt(output.event, seconds(now), fate, retry_at=seconds(now + 3)))

    number, routes = 2, ROUTES + draw(st.sampled_from(["", STORMS]))
    mode = draw(st.sampled_from(["alertmanager", "tocsin"]))
    append(plan(routes.format(wait="5s", mode=mode, times="mute_time_intervals"))[0])
    assert router.plan_number == 1, "a law about a router without a plan says nothing"
    for _ in range(draw(st.integers(5, 25))):
        what = draw(st.sampled_from(WHAT))
        if what == "time":
            for _ in range(draw(st.integers(1, 6))):
                if (due := router.wake_at()) is None:
                    break
                now = max(now, (due - seconds(0)) / 1_000)
                append(WakeUp(stage="router", due=due))
        elif what == "plan":
            content = routes.format(
                wait=draw(st.sampled_from(["0s", "5s", "10s"])),
                mode=draw(st.sampled_from([mode, mode, "alertmanager"])),
                times=draw(st.sampled_from(["mute_time_intervals", "active_time_intervals"])),
            )
            if draw(st.booleans()):
                content = content.replace("group_by: [g]", "group_by: []")
            for piece in plan(content, number, draw(st.integers(1, 3))):
                append(piece)
            number += 1
        elif what == "silence":
            now += draw(st.integers(0, 8))
            append(draw(silences(now)))
        elif what == "incident":
            now += draw(st.integers(0, 8))
            if known := [one.id for one in router.incidents()]:
                append(draw(incident_commands(known, now)))
        elif what == "window":
            now += draw(st.integers(0, 8))
            append(draw(windows(now)))
        else:
            now += draw(st.integers(0, 8))
            append(draw(batches(now)))
    return entries


@st.composite
def incident_commands(draw: st.DrawFn, known: list[str], now: float) -> Event:
    ends = st.sampled_from([None, seconds(now + 9), seconds(now + 50)])
    return IncidentCommand(
        incident=draw(st.sampled_from(known)),
        action=draw(st.sampled_from(IncidentAction)),
        by="ann",
        until=draw(ends),
    )


@st.composite
def silences(draw: st.DrawFn, now: float) -> Event:
    name = draw(st.sampled_from(["s1", "s2", "s3"]))
    if draw(st.booleans()):
        return SilenceExpired(id=name)
    matcher = SilenceMatcher(
        name="alertname", operator="=~", value=draw(st.sampled_from(["A[0-2]", "A.*", "A1"]))
    )
    begins = now + draw(st.integers(-5, 10))
    return SilenceSet(
        id=name,
        sets=((matcher,),),
        starts_at=seconds(begins),
        ends_at=seconds(begins + draw(st.integers(1, 60))),
        created_by="ann",
        comment="",
    )


@st.composite
def windows(draw: st.DrawFn, now: float) -> Event:
    name = draw(st.sampled_from(["w1", "w2"]))
    ends = now + draw(st.integers(21, 60))
    minute = (seconds(now) // 60_000 + draw(st.integers(0, 1))) % 1_440
    fields: dict[str, object] = draw(
        st.sampled_from(
            [
                {"ends_at": seconds(ends)},
                {"timeout": draw(st.integers(1, 40_000))},
                {"repeats": ({"minute": minute, "length": 20_000},)},
            ]
        )
    )
    wish = {
        "id": name,
        "sets": ((SilenceMatcher(name="alertname", operator="=~", value="A[0-3]"),),),
        "owner": "two",
        "comment": "",
        "starts_at": seconds(now + draw(st.sampled_from([-5, 0, 1, 20]))),
        "remind_before": draw(st.sampled_from([None, 1_000, 10_000])),
    }
    return draw(
        st.sampled_from(
            [
                WindowSet.model_validate(wish | fields),
                WindowSet.model_validate(wish | fields),
                WindowOpened(id=name),
                WindowClosed(id=name),
                WindowEnded(id=name),
            ]
        )
    )


@st.composite
def batches(draw: st.DrawFn, now: float) -> AlertBatch:
    def one() -> AlertLevel:
        state = draw(st.sampled_from([*AlertState, AlertState.FIRING]))
        began = seconds(now - draw(st.integers(0, 12)))
        number = draw(st.integers(0, 5))
        return AlertLevel(
            labels={"alertname": f"A{number}", "g": str(number % 3)},
            annotations={"text": draw(st.sampled_from(["a", "b"]))},
            state=state,
            active_at=began,
            starts_at=None if state is AlertState.PENDING else began,
            ends_at=seconds(now) if state is AlertState.RESOLVED else None,
        )

    decided_at = seconds(now - draw(st.sampled_from([0, 0, 0, 6])))
    levels = tuple(one() for _ in range(draw(st.integers(1, 4))))
    source = draw(st.sampled_from(["s", "s", "api"]))
    if source == "api":
        ends = st.sampled_from([None, seconds(now + 9), seconds(now + 40)])
        levels = tuple(
            level
            if level.state is AlertState.RESOLVED
            else level.model_copy(update={"state": AlertState.FIRING, "ends_at": draw(ends)})
            for level in levels
        )
    return AlertBatch(source=source, plan=1, decided_at=decided_at, alerts=levels)


class Runtime:
    """Feeds a log to a router as a runtime does, and can be killed between any two writes."""

    def __init__(self, log: list[Entry]) -> None:
        self.log = log
        self.state: dict[str, bytes] = {}
        self.offset = 0
        self.begin = 0
        """Where the topic begins; what was before it was in another of the same name."""
        self.said: dict[str, str] = {}
        self.order: list[str] = []

    def start(self) -> Router:
        router = fresh()
        for key, value in self.state.items():
            router.restore(key, value)
        return router

    def batch(self, most: int) -> list[int]:
        """Records from the offset on that were appended at one time."""
        found = [self.offset]
        while (
            len(found) < most
            and found[-1] + 1 < len(self.log)
            and self.log[found[-1] + 1].at == self.log[self.offset].at
        ):
            found.append(found[-1] + 1)
        return found

    def step(self, router: Router, offsets: list[int]) -> Step:
        now = self.log[offsets[0]].at
        received = [Received(one - self.begin, sealed(self.log[one].event, now)) for one in offsets]
        step = router.step(received, now)
        for output in step.outputs:
            text = f"{output.topic} {output.event.model_dump_json()}"
            assert self.said.setdefault(output.id, text) == text
            if output.id not in self.order:
                self.order.append(output.id)
        return step

    def made_anew(self) -> None:
        """The rest of the log comes in a new topic; the router says at once that it knows."""
        self.write(Step(changes=self.start().begin_again()))
        self.begin = self.offset

    def write(self, step: Step, count: int | None = None) -> None:
        for change in step.changes[:count]:
            if change.value is None:
                self.state.pop(change.key, None)
            else:
                self.state[change.key] = change.value


def uninterrupted(log: list[Entry]) -> Runtime:
    runtime = Runtime(log)
    router = runtime.start()
    while runtime.offset < len(log):
        runtime.write(runtime.step(router, runtime.batch(1)))
        runtime.offset += 1
    return runtime


@settings(max_examples=60, deadline=None)
@given(logs(), st.data())
def test_a_router_killed_between_any_two_writes_decides_the_same(
    log: list[Entry], data: st.DataObject
) -> None:
    want = uninterrupted(log)
    runtime = Runtime(log)
    router, kills = runtime.start(), data.draw(st.integers(1, 6))
    reached = -1
    while runtime.offset < len(log):
        # What a killed step left may have read further than the offset: those records would come
        # in the new topic, too, as others.
        if kills and reached < runtime.offset and data.draw(st.integers(0, 4)) == 0:
            kills -= 1
            runtime.made_anew()
            router = runtime.start()
        offsets = runtime.batch(data.draw(st.integers(1, 5)))
        step = runtime.step(router, offsets)
        if kills and data.draw(st.booleans()):
            kills, reached = kills - 1, max(reached, offsets[-1])
            runtime.write(step, data.draw(st.integers(0, len(step.changes))))
            router = runtime.start()
            continue
        runtime.write(step)
        runtime.offset = offsets[-1] + 1
    assert runtime.order == want.order
    assert runtime.said == want.said
    assert again(runtime).wake_at() == again(want).wake_at()


def test_a_restart_after_the_topic_was_made_anew_skips_none_of_its_records() -> None:
    levels = [
        AlertLevel(
            labels={"alertname": f"A{at}"}, state=AlertState.FIRING, active_at=at, starts_at=at
        )
        for at in range(9)
    ]
    log = [
        Entry(seconds(at), AlertBatch(source="s", plan=1, decided_at=seconds(at), alerts=(one,)))
        for at, one in enumerate(levels)
    ]
    runtime = uninterrupted(log[:7])
    runtime.log = log
    runtime.made_anew()
    for _ in range(2):
        step = runtime.step(runtime.start(), [runtime.offset])
        assert step.counts == {"level changed": 1}
        runtime.write(step)
        runtime.offset += 1


@settings(max_examples=30, deadline=None)
@given(logs(), st.data())
def test_reading_again_from_long_before_the_state_decides_nothing_new(
    log: list[Entry], data: st.DataObject
) -> None:
    want = uninterrupted(log)
    runtime = uninterrupted(log)
    runtime.offset = data.draw(st.integers(0, len(log) - 1))
    router = runtime.start()
    while runtime.offset < len(log):
        offsets = runtime.batch(5)
        assert not runtime.step(router, offsets).outputs
        runtime.offset = offsets[-1] + 1
    assert runtime.order == want.order
    assert router.wake_at() == again(want).wake_at()


@settings(max_examples=30, deadline=None)
@given(logs(), st.data())
def test_cutting_the_log_into_other_batches_changes_nothing(
    log: list[Entry], data: st.DataObject
) -> None:
    want = uninterrupted(log)
    runtime = Runtime(log)
    router = runtime.start()
    while runtime.offset < len(log):
        offsets = runtime.batch(data.draw(st.integers(1, 9)))
        runtime.write(runtime.step(router, offsets))
        runtime.offset = offsets[-1] + 1
    assert (runtime.order, runtime.said) == (want.order, want.said)


@settings(max_examples=40, deadline=None)
@given(logs())
def test_one_delivery_is_outstanding_per_group_and_channel(log: list[Entry]) -> None:
    runtime = Runtime(log)
    router = runtime.start()
    outstanding: dict[tuple[str, str, int], Delivery] = {}
    replaceable: set[str] = set()
    for offset, entry in enumerate(log):
        if isinstance(said := entry.event, Receipt):
            replaceable.add(said.delivery)
        if isinstance(said, Plan):
            # A group that a plan ends is forgotten; should it come back, the courier's lane
            # still keeps its messages in order.
            outstanding.clear()
        runtime.offset = offset
        for output in runtime.step(router, [offset]).outputs:
            if isinstance(sent := output.event, Delivery):
                lane = (sent.group_key, sent.receiver, sent.integration)
                before = outstanding.get(lane)
                assert (
                    before is None
                    or before.id == sent.id
                    or before.id in replaceable
                    or entry.at >= before.expires_at + GRACE
                )
                outstanding[lane] = sent


def again(runtime: Runtime) -> Router:
    return runtime.start()
