"""Evaluation on arrival: the same for any partitioning and after any cut, and what PromQL says."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from processors.detector import Detector
from schemas.alerts import AlertBatch
from schemas.topics import ALERTS, CODEC
from tests.support.arrivals import INSTANCES, SETS, Sent, Told, expected, messages
from tests.support.build import T0, rules_plan_messages
from tests.support.runtimes import Embedded, Make

EXPRESSIONS = (
    "temperature > {0}",
    "avg_over_time(temperature[2s]) > {0}",
    "changes(load[3s]) > 1 and temperature < {0}",
    "temperature > {0} and on (instance) load > {1}",
    "temperature + on (instance) load > {0} unless on (instance) temperature > {1}",
    "sum by (instance) ({{__name__=~'temp.*', __name__='temperature'}}) > {0}",
    "temperature - temperature offset 1s > {1}",
    "increase(load[5s]) / 5 > {1}",
)
seconds = st.sampled_from(["0s", "100ms", "1s", "3s"])
rule = st.builds(
    lambda expr, high, low, wait, keep, waits: (
        f'{{expr: "{expr.format(high, low)}", for: {wait}, keep_firing_for: {keep}'
        + (", evaluation: interval" if waits else "")
    ),
    st.sampled_from(EXPRESSIONS),
    st.integers(20, 80),
    st.integers(0, 40),
    seconds,
    seconds,
    st.sampled_from([False, False, False, True]),
)
groups = st.lists(st.lists(rule, min_size=1, max_size=3), min_size=1, max_size=2).map(
    lambda found: (
        "groups:\n"
        + "\n".join(
            f"- name: g{n}\n  interval: {3 + 2 * n}s\n  rules:\n"
            + "\n".join(f"  - {written}, alert: A{i}}}" for i, written in enumerate(rules))
            for n, rules in enumerate(found)
        )
    )
)
sent = st.lists(
    st.builds(
        Sent,
        st.one_of(st.integers(1, 60), st.integers(1, 1_500), st.sampled_from([40, 100, 2_000])),
        st.sampled_from(INSTANCES),
        st.sampled_from(SETS),
        st.integers(0, 100).map(float),
    ),
    min_size=3,
    max_size=30,
)
cuts = st.lists(st.integers(0, 33), max_size=6)
shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def play(
    make: Make,
    rules: str,
    batches: Sequence[Sent],
    partitions: int = 1,
    cuts: Sequence[int] = (),
    crash: int = -1,
) -> tuple[set[Told], list[bytes]]:
    """What is told up to the first of the last batches; read and restarted at the cuts."""
    stream = list(messages(batches))
    with TemporaryDirectory() as directory:
        runtime = make(Path(directory), Detector, partitions)
        try:
            runtime.publish(rules_plan_messages(rules, partitions=partitions), T0)
            runtime.settle()
            if crash >= 0:
                runtime.crash_after(crash)
            for number, (now, message) in enumerate(stream):
                runtime.publish([message], now)
                if number in cuts:
                    runtime.settle()
                if number in cuts[::2]:
                    runtime.restart()
            runtime.settle()
            values = runtime.read(ALERTS)
        finally:
            runtime.close()
    told: set[Told] = set()
    for value in values:
        event = CODEC.decode(value).event
        assert isinstance(event, AlertBatch)
        for level in event.alerts:
            if level.changed and event.decided_at < stream[-3][0]:
                labels = tuple(sorted(level.labels.items()))
                told.add(
                    (event.decided_at, labels, str(level.state), level.active_at,
                     level.starts_at, level.value)
                )  # fmt: skip
    return told, values


@settings(max_examples=60, deadline=None, suppress_health_check=shared)
@given(rules=groups, batches=sent)
def test_it_says_what_the_expression_over_everything_says_of_the_instance(
    rules: str, batches: list[Sent]
) -> None:
    told, _ = play(Embedded, rules, batches)
    assert told == expected(rules, batches)


disturbed = given(
    rules=groups, batches=sent, cuts=cuts, partitions=st.integers(1, 4), crash=st.integers(-1, 60)
)


@settings(max_examples=40, deadline=None, suppress_health_check=shared)
@disturbed
def test_cuts_crashes_and_partitions_change_nothing(
    quick_runtime: Make,
    rules: str,
    batches: list[Sent],
    cuts: list[int],
    partitions: int,
    crash: int,
) -> None:
    holds(quick_runtime, rules, batches, cuts, partitions, crash)


@settings(max_examples=4, deadline=None, suppress_health_check=shared, phases=[Phase.generate])
@disturbed
def test_nor_do_they_on_kafka(
    kafka_runtime: Make,
    rules: str,
    batches: list[Sent],
    cuts: list[int],
    partitions: int,
    crash: int,
) -> None:
    holds(kafka_runtime, rules, batches, cuts, partitions, crash)


def holds(
    runtime: Make, rules: str, batches: list[Sent], cuts: list[int], partitions: int, crash: int
) -> None:
    told, values = play(runtime, rules, batches, partitions, cuts, crash)
    assert told == expected(rules, batches)
    said = {CODEC.decode(value).id: value for value in values}
    assert all(said[CODEC.decode(value).id] == value for value in values), "an id said two things"
