"""The laws of runtimes, with the router: cuts and crashes change no delivery."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from notifiers.router import Router
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.heartbeats import Ping, Signal
from schemas.plan_pieces import cut
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC, DELIVERIES
from tests.laws.test_runtimes import cuts, steps
from tests.support.at_least_once import AtLeastOnce
from tests.support.build import T0, envelope
from tests.support.runtimes import Embedded, Make, Runtime

ROUTES = """
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 5s
  group_interval: 20s
  repeat_interval: 1m
receivers:
  - name: hook
    webhook_configs: [{url: "https://hooks.example.org/"}]
heartbeats:
  - {name: job, id: 0123456789abcdefghij, period: 15s, grace: 5s}
"""


def router_plan() -> list[Message]:
    return [
        Message(ALERTS, "", CODEC.encode(envelope(piece, T0, "plans")))
        for piece in cut("router", 1, ROUTES.encode())
    ]


def alert_stream(steps: Sequence[tuple[int, int]]) -> list[tuple[int, Message]]:
    """Levels of three alerts, and a job's pings; which come depends on the heat of the step."""
    now, found = T0, []
    lives: dict[str, int] = {}
    for wait, heat in steps:
        now += wait * 1000
        levels = []
        for name, threshold in (("A", 30), ("B", 50), ("C", 70)):
            if heat > threshold:
                lives.setdefault(name, now)
                levels.append(level(name, lives[name], None))
            elif name in lives:
                levels.append(level(name, lives.pop(name), now))
        if levels:
            batch = AlertBatch(source="r:g", plan=1, decided_at=now, alerts=tuple(levels))
            found.append((now, Message(ALERTS, "default", CODEC.encode(envelope(batch, now)))))
        if heat % 3 == 0:
            ping = Ping(heartbeat="job", signal=Signal.FAIL if heat % 2 else Signal.SUCCESS)
            found.append((now, Message(ALERTS, "default", CODEC.encode(envelope(ping, now)))))
    return found


def level(name: str, since: int, ended: int | None) -> AlertLevel:
    return AlertLevel(
        labels={"alertname": name, "severity": "high"},
        state=AlertState.FIRING if ended is None else AlertState.RESOLVED,
        active_at=since,
        starts_at=since,
        ends_at=ended,
    )


def answered(runtime: Runtime, seen: set[str], now: int) -> list[Message]:
    """A receipt for every delivery that had none; every third attempt fails first."""
    found = []
    for value in runtime.read(DELIVERIES):
        sealed = CODEC.decode(value)
        delivery = sealed.event
        assert isinstance(delivery, Delivery)
        if (attempt := f"{delivery.id}/{delivery.attempt}") in seen:
            continue
        seen.add(attempt)
        later = int(delivery.id, 16) % 3 == 0 and delivery.attempt == 1
        receipt = Receipt(
            delivery=delivery.id,
            group_key=delivery.group_key,
            receiver=delivery.receiver,
            integration=delivery.integration,
            channel=delivery.channel,
            fate=Fate.RETRY if later else Fate.DELIVERED,
            attempt=delivery.attempt,
            tries=1,
            at=now,
            duration=0.1,
            retry_at=now + 7_000 if later else None,
        )
        found.append(Message(ALERTS, "default", CODEC.encode(envelope(receipt, now, attempt))))
    return found


def recorded_routing(steps: Sequence[tuple[int, int]]) -> list[tuple[int, Message]]:
    """The router's whole input, as one undisturbed run with a courier made it."""
    with TemporaryDirectory() as directory:
        runtime = Embedded(Path(directory), Router, 1)
        try:
            told = [(T0, message) for message in router_plan()]
            runtime.publish([message for _, message in told], T0)
            seen: set[str] = set()
            for now, message in alert_stream(steps):
                told.append((now, message))
                runtime.publish([message], now)
                runtime.settle()
                receipts = answered(runtime, seen, now + 200)
                told += [(now + 200, receipt) for receipt in receipts]
                runtime.publish(receipts, now + 200)
                runtime.settle()
            return told
        finally:
            runtime.close()


def routed(
    make: Make, stream: Sequence[tuple[int, Message]], cuts: Sequence[int], crash: int
) -> tuple[dict[str, bytes], int]:
    """Deliveries by id and attempt, what they say, and how many were published in all."""
    with TemporaryDirectory() as directory:
        runtime = make(Path(directory), Router, 1)
        try:
            if crash >= 0:
                runtime.crash_after(crash)
            for number, (now, message) in enumerate(stream):
                runtime.publish([message], now)
                if number in cuts:
                    runtime.settle()
                if number in cuts[::2]:
                    runtime.restart()
            runtime.settle()
            values = runtime.read(DELIVERIES)
        finally:
            runtime.close()
    found: dict[str, bytes] = {}
    for value in values:
        delivery = CODEC.decode(value).event
        assert isinstance(delivery, Delivery)
        said = delivery.model_dump_json().encode()
        assert found.setdefault(f"{delivery.id}/{delivery.attempt}", said) == said
    return found, len(values)


played = given(steps=steps, cuts=cuts, crash=st.integers(-1, 60))
shared = [HealthCheck.function_scoped_fixture]


@settings(max_examples=25, deadline=None, suppress_health_check=shared)
@played
def test_cuts_and_crashes_change_no_delivery(
    quick_runtime: Make, steps: list[tuple[int, int]], cuts: list[int], crash: int
) -> None:
    delivers_the_same(quick_runtime, steps, cuts, crash)


@settings(max_examples=5, deadline=None, suppress_health_check=shared, phases=[Phase.generate])
@played
def test_nor_do_they_on_kafka(
    kafka_runtime: Make, steps: list[tuple[int, int]], cuts: list[int], crash: int
) -> None:
    delivers_the_same(kafka_runtime, steps, cuts, crash)


def delivers_the_same(
    runtime: Make, steps: list[tuple[int, int]], cuts: list[int], crash: int
) -> None:
    stream = recorded_routing(steps)
    undisturbed, count = routed(Embedded, stream, [], -1)
    assert count == len(undisturbed)
    disturbed, published = routed(runtime, stream, cuts, crash)
    assert disturbed == undisturbed
    if runtime is not AtLeastOnce:
        assert published == count
