"""The law of replay with heartbeats, a dead man's switch, drills and resends in the log."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.deliveries import Delivery, Fate
from schemas.drills import DrillAsked, ResendAsked
from schemas.event import Event
from schemas.heartbeats import Ping, Signal
from schemas.plans import WakeUp
from schemas.stage import Received
from schemas.topics import CODEC
from tests.unit.notifiers.scenario import plan, receipt, sealed, seconds
from tests.unit.notifiers.test_router_replay import (
    Entry,
    Runtime,
    again,
    batches,
    fresh,
    uninterrupted,
)

ROUTES = """
route: {{receiver: r, group_by: [alertname], group_wait: 3s, group_interval: 10s}}
receivers:
- {{name: r, webhook_configs: [{{url: 'http://x/'}}]}}
- {{name: out, webhook_configs: [{{url: 'http://x/'}}], pagerduty_configs: [{{routing_key: k}}]}}
ping_key: abcdefghijklmnopqrstuvwxyz
heartbeats:
- {{name: a, period: {period}, grace: 5s, max_runtime: 8s, labels: {{team: {team}}}}}
- {{name: b, cron: '* * * * *', timezone: Europe/Berlin, grace: 2s}}
dead_mans_switch: {{receiver: out, interval: {interval}, require: detector, within: 20s}}
"""


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    router, entries, now, sent = fresh(), [], 0.0, []
    fates = st.sampled_from([Fate.DELIVERED, Fate.DELIVERED, Fate.REFUSED, Fate.RETRY, None])

    def append(event: Event) -> None:
        entries.append(Entry(seconds(now), event))
        received = Received(len(entries) - 1, sealed(event, seconds(now)))
        for output in router.step([received], seconds(now)).outputs:
            if isinstance(output.event, Delivery):
                sent.append(output.event)
                if (fate := draw(fates)) is not None:
                    append(receipt(output.event, seconds(now), fate, retry_at=seconds(now + 3)))

    def config() -> str:
        return ROUTES.format(
            period=draw(st.sampled_from(["10s", "40s"])),
            team=draw(st.sampled_from(["x", "x", "y"])),
            interval=draw(st.sampled_from(["7s", "30s"])),
        )

    append(plan(config())[0])
    for number in range(draw(st.integers(5, 25))):
        what = draw(st.sampled_from(["time", "time", "ping", "ping", "ask", "alerts", "plan"]))
        now += draw(st.integers(0, 8))
        if what == "time":
            for _ in range(draw(st.integers(1, 6))):
                if (due := router.wake_at()) is None:
                    break
                now = max(now, (due - seconds(0)) / 1_000)
                append(WakeUp(stage="router", due=due))
        elif what == "plan":
            append(plan(config(), number + 2)[0])
        elif what == "alerts":
            append(draw(batches(now)))
        elif what == "ask" and sent and draw(st.booleans()):
            dead = draw(st.sampled_from(sent[-3:]))
            original = CODEC.encode(sealed(dead, 0))
            append(ResendAsked(letter="l", original=original, expires_at=seconds(now + 20)))
        elif what == "ask":
            name, receiver = f"d{draw(st.integers(0, 2))}", draw(st.sampled_from(["out", "none"]))
            append(DrillAsked(id=name, receiver=receiver, expires_at=seconds(now + 9)))
        else:
            append(draw(pings()))
    return entries


def pings() -> st.SearchStrategy[Ping]:
    return st.builds(
        Ping,
        heartbeat=st.sampled_from(["a", "a", "b", "c"]),
        signal=st.sampled_from(Signal),
        exit_status=st.none() | st.integers(0, 3),
        run=st.sampled_from(["", "1", "2"]),
        body=st.sampled_from(["", "words"]),
    )


@settings(max_examples=80, deadline=None)
@given(logs(), st.data())
def test_a_router_killed_between_any_two_writes_decides_the_same(
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
    assert (runtime.order, runtime.said) == (want.order, want.said)
    for prefix in ("heartbeat", "drill", "resend"):
        assert router.remembered(prefix) == again(want).remembered(prefix)
    assert again(runtime).wake_at() == again(want).wake_at()


@settings(max_examples=40, deadline=None)
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
