"""What every runtime promises of every stage; the runtimes are in `tests/support/runtimes.py`.

A recorded stream is played into a log once, undisturbed. Then it is played again, cut into
pieces, over several partitions, with crashes at every boundary: the same decisions come out under
the same ids.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops.runtime import driver
from processors.detector import Detector
from schemas.alerts import AlertBatch
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC, DEAD_LETTERS, METRICS
from tests.support.build import T0, metrics_message, rules_plan_messages, samples
from tests.support.runtimes import Embedded, Make, Runtime

RULES = """
groups:
  - name: fast
    interval: 5s
    rules:
      - {alert: Hot, expr: temperature > 90, for: 10s, keep_firing_for: 10s}
      - {record: "temperature:max", expr: "max_over_time(temperature[30s])"}
      - {alert: WasHot, expr: "temperature:max > 95"}
  - name: slow
    rules:
      - {alert: Rising, expr: "increase(requests[1m]) > 20", labels: {severity: low}}
"""


def stream(steps: Sequence[tuple[int, int]]) -> Iterator[tuple[int, Message]]:
    """Samples of three instances; each step waits some seconds and has some heat."""
    now = T0 + 500
    for number, (wait, heat) in enumerate(steps):
        now += wait * 1000 + 7
        for instance in ("a", "b", "c"):
            warm = heat if instance == "a" else 100 - heat
            values = {"temperature": float(warm), "requests": float(number * heat)}
            batch = samples(instance, values, now - 3)
            yield now, metrics_message(batch, now - 3, number + 1)


def decisions(runtime: Runtime) -> set[tuple[object, ...]]:
    """Every change of an alert that was decided, under its id."""
    found: set[tuple[object, ...]] = set()
    for value in runtime.read(ALERTS):
        event = CODEC.decode(value).event
        assert isinstance(event, AlertBatch)
        for level in event.alerts:
            if level.changed:
                labels = tuple(sorted(level.labels.items()))
                found.add(
                    (event.decided_at, labels, level.state, level.active_at, level.starts_at,
                     level.ends_at, level.value)
                )  # fmt: skip
    return found


def play(
    make: Make,
    steps: Sequence[tuple[int, int]],
    partitions: int,
    cuts: Sequence[int],
    crash: int,
    rules: str = RULES,
) -> tuple[set[tuple[object, ...]], list[bytes]]:
    with TemporaryDirectory() as directory:
        runtime = make(Path(directory), Detector, partitions)
        try:
            runtime.publish(rules_plan_messages(rules, partitions=partitions), T0)
            runtime.settle()
            if crash >= 0:
                runtime.crash_after(crash)
            for number, (now, message) in enumerate(stream(steps)):
                runtime.publish([message], now)
                if number in cuts:
                    runtime.settle()
                if number in cuts[::2]:
                    runtime.restart()
            runtime.settle()
            return decisions(runtime), runtime.read(ALERTS)
        finally:
            runtime.close()


steps = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 100)), min_size=3, max_size=25)
cuts = st.lists(st.integers(0, 80), max_size=6)


played = given(steps=steps, cuts=cuts, partitions=st.integers(1, 4), crash=st.integers(-1, 60))
shared = [HealthCheck.function_scoped_fixture]


@settings(max_examples=25, deadline=None, suppress_health_check=shared)
@played
def test_cuts_crashes_and_partitions_change_no_decision(
    quick_runtime: Make, steps: list[tuple[int, int]], cuts: list[int], partitions: int, crash: int
) -> None:
    decides_the_same(quick_runtime, steps, cuts, partitions, crash)


@settings(max_examples=5, deadline=None, suppress_health_check=shared, phases=[Phase.generate])
@played
def test_nor_do_they_on_kafka(
    kafka_runtime: Make, steps: list[tuple[int, int]], cuts: list[int], partitions: int, crash: int
) -> None:
    decides_the_same(kafka_runtime, steps, cuts, partitions, crash)


def decides_the_same(
    runtime: Make, steps: list[tuple[int, int]], cuts: list[int], partitions: int, crash: int
) -> None:
    undisturbed, _ = play(Embedded, steps, 1, [], -1)
    disturbed, told = play(runtime, steps, partitions, cuts, crash)
    lasting = {each for each in undisturbed if each[0] < newest(steps)}
    assert {each for each in disturbed if each[0] < newest(steps)} == lasting
    said = {CODEC.decode(value).id: value for value in told}
    assert all(said[CODEC.decode(value).id] == value for value in told), "an id said two things"


def newest(steps: Sequence[tuple[int, int]]) -> int:
    """Up to here every partition has read on, whatever it was given last."""
    return min(
        max(now for now, message in stream(steps) if message.key == instance)
        for instance in ("a", "b", "c")
    )


def test_exactly_once_repeats_no_id_at_any_boundary() -> None:
    heat = [(5, 95), (10, 99), (12, 99), (14, 5), (9, 5), (30, 99), (20, 1)]
    calm, told = play(Embedded, heat, 1, range(30), -1)
    ids = [CODEC.decode(value).id for value in told]
    assert calm
    assert len(ids) == len(set(ids))
    for crash in range(40):
        again, told_again = play(Embedded, heat, 1, range(30), crash)
        assert again == calm
        assert [CODEC.decode(value).id for value in told_again] == ids


ACROSS = """
groups:
  - name: records
    interval: 5s
    rules: [{record: "warm", expr: "temperature * 1"}]
  - name: alerts
    interval: 5s
    rules: [{alert: Warm, expr: "last_over_time(warm[1m]) > 60"}]
"""


def test_recorded_samples_are_seen_when_they_are_read_also_by_who_restarts_in_a_backlog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "CHUNK", 4)
    steps = [(7, heat) for heat in (95, 95, 10, 95, 20, 95, 95, 30, 95, 95)]
    halfway = [99, 14]
    calm, _ = play(Embedded, steps, 1, halfway, -1, ACROSS)
    assert calm
    for crash in range(0, 40, 3):
        again, _ = play(Embedded, steps, 1, halfway, crash, ACROSS)
        assert again == calm


def test_what_cannot_be_decoded_is_buried_with_its_bytes_and_the_partition_moves_on(
    runtime: Make, tmp_path: Path
) -> None:
    made = runtime(tmp_path, Detector, 1)
    try:
        made.publish(rules_plan_messages(RULES), T0)
        made.publish([Message(METRICS, "a", b"\xc1 not an event")], T0 + 1)
        for now, message in stream([(5, 99), (15, 99), (15, 99)]):
            made.publish([message], now)
        made.settle()
        letters = [CODEC.decode(value).event for value in made.read(DEAD_LETTERS)]
        assert [(each.original, each.reason) for each in letters] == [
            (b"\xc1 not an event", "not MessagePack")
        ]
        assert decisions(made)
    finally:
        made.close()


class Fragile(Detector):
    """Raises on one record."""

    def step(self, batch, now):  # type: ignore[no-untyped-def]
        if any(each.envelope.id == "poison" for each in batch):
            raise ZeroDivisionError("poisoned")
        return super().step(batch, now)


def test_a_record_on_which_the_stage_raises_is_buried_alone(runtime: Make, tmp_path: Path) -> None:
    made = runtime(tmp_path, Fragile, 1)
    try:
        made.publish(rules_plan_messages(RULES), T0)
        events = list(stream([(5, 99), (15, 99), (15, 99)]))
        sent = CODEC.decode(events[3][1].value)
        poison = CODEC.encode(type(sent)("poison", sent.producer, sent.sent_at, sent.event))
        made.publish(
            [message for _, message in events[:3]] + [Message(METRICS, "a", poison)], events[0][0]
        )
        for now, message in events[3:]:
            made.publish([message], now)
        made.settle()
        letters = [CODEC.decode(value).event for value in made.read(DEAD_LETTERS)]
        assert [(each.original, each.reason) for each in letters] == [(poison, "stage failed")]
        assert decisions(made)
    finally:
        made.close()
