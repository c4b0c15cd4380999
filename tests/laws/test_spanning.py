"""One partition and many come to the same alerts at the same times, whatever rules and data are."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertBatch
from schemas.gathered import Gathered, Marker
from schemas.labels import labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.series import unpack_series
from schemas.stage import Message
from schemas.topics import ALERTS, GATHERED, METRICS
from tests.support.build import T0, metrics_message, rules_plan_messages
from tests.support.cluster import Cluster

RULES = (
    "{alert: Hot, expr: temperature > 80, for: 10s}",
    "{alert: AnyHot, expr: sum by (job) (temperature) > 150, keep_firing_for: 10s}",
    "{alert: Least, expr: 'min(temperature) < 20', labels: {instance: fleet}}",
    "{alert: Gone, expr: 'absent(temperature{instance=\"a\"})'}",
    "{alert: Share, expr: 'temperature / on (job) group_left () sum by (job) (temperature) > 0.6'}",
    "{alert: Busy, expr: 'sum(rate(requests[30s])) > 3'}",
    "{alert: Before, expr: 'max(temperature offset 10s) > 90'}",
    "{alert: Few, expr: 'count(temperature > 50) < 2'}",
    "{alert: Always, expr: vector(1)}",
    '{alert: Named, expr: \'label_replace(temperature > 70, "instance", "x$1", "instance", '
    '"(.*)")\'}',
    "{record: 'job:temperature:avg', expr: avg by (job) (temperature)}",
    "{record: 'instance:requests:rate', expr: 'rate(requests[30s])'}",
    "{record: 'temperature:max', expr: 'max_over_time(temperature[20s])'}",
    "{alert: Average, expr: 'job:temperature:avg > 55', for: 5s}",
    "{alert: WasAverage, expr: 'max_over_time(job:temperature:avg[30s]) > 60'}",
    "{alert: Above, expr: 'temperature > on (job) group_left () job:temperature:avg'}",
    "{alert: Sum, expr: 'sum(instance:requests:rate) > 2'}",
    "{alert: WasHot, expr: 'temperature:max > 85'}",
    "{alert: Silent, detect: {absent: {series: temperature, after: 12s}}}",
    "{alert: LongSum, expr: 'sum(sum_over_time(temperature[3h])) > 300'}",
    "{alert: LongRate, expr: 'sum(rate(requests[1d])) by (job) > 0.5'}",
    "{alert: LongHere, expr: 'max_over_time(temperature[6h]) > 95'}",
)
JOBS = {"a": "web", "b": "web", "c": "db", "d": "db", "e": "db"}


@dataclass(frozen=True, slots=True)
class Sent:
    """An instance's batch, `wait` ms after the one before, of samples up to `late` ms old."""

    wait: int
    instance: str
    heat: int
    late: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Over how many partitions, and who is restarted after which batch."""

    partitions: int
    gathered: int
    chunk: int
    restarts: Sequence[tuple[int, int]] = ()


ALONE = Scale(1, 1, 500)


@st.composite
def rule_files(draw: st.DrawFn) -> str:
    groups = draw(
        st.lists(
            st.tuples(
                st.sampled_from([5, 10, 15]),
                st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True),
            ),
            min_size=1,
            max_size=4,
        )
    )
    return "groups:\n" + "".join(
        f"  - name: g{number}\n    interval: {interval}s\n    rules:\n"
        + "".join(f"      - {rule}\n" for rule in rules)
        for number, (interval, rules) in enumerate(groups)
    )


batches = st.lists(
    st.builds(
        Sent,
        wait=st.integers(1, 9_000),
        instance=st.sampled_from(sorted(JOBS)),
        heat=st.integers(0, 100),
        late=st.sampled_from([0, 3, 40, 4_000]),
    ),
    min_size=5,
    max_size=40,
)
scales = st.builds(
    Scale,
    partitions=st.integers(2, 4),
    gathered=st.integers(1, 3),
    chunk=st.sampled_from([1, 2, 500]),
    restarts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=5),
)


def batch_of(sent: Sent, number: int, at: int) -> MetricBatch:
    labels = {"instance": sent.instance, "job": JOBS[sent.instance]}
    series = [labels_of(labels | {"__name__": name}) for name in ("temperature", "requests")]
    return metric_batch(sent.instance, series, [sent.heat, number * 7.0], [at - sent.late])


def plan(text: str, scale: Scale, number: int = 1) -> list[Message]:
    """The plan on every partition of both topics."""
    pieces = rules_plan_messages(text, number, partitions=scale.partitions)
    if scale.partitions == 1:
        return pieces
    first = [piece for piece in pieces if piece.partition == 0]
    spanning = [
        Message(GATHERED, "", piece.value, partition)
        for piece in first
        for partition in range(scale.gathered)
    ]
    return pieces + spanning


def play(text: str, sent: Sequence[Sent], scale: Scale, text_after: str = "") -> Cluster:
    cluster = Cluster(scale.partitions, scale.gathered, T0, scale.chunk)
    cluster.publish(plan(text, scale))
    for number, each in enumerate(sent):
        cluster.run_until(cluster.now + each.wait)
        batch = batch_of(each, number, cluster.now)
        cluster.publish([metrics_message(batch, cluster.now, number + 1)])
        if text_after and number == len(sent) // 2:
            cluster.run_until(cluster.now + 1)
            cluster.publish(plan(text_after, scale, 2))
        for at, who in scale.restarts:
            if at == number:
                cluster.restart(cluster.members[who % len(cluster.members)])
    cluster.run_until(cluster.now + 30_000)
    return cluster


def decisions(cluster: Cluster) -> set[tuple[object, ...]]:
    """Every change of an alert: what it was, when."""
    return {
        (
            event.decided_at,
            event.source,
            tuple(sorted(level.labels.items())),
            tuple(sorted(level.annotations.items())),
            level.state,
            level.active_at,
            level.starts_at,
            level.ends_at,
            level.value,
        )
        for event in cluster.events(ALERTS)
        if isinstance(event, AlertBatch)
        for level in event.alerts
        if level.changed
    }


def recorded(cluster: Cluster) -> set[tuple[object, ...]]:
    """Every recorded sample: of which series, when, its bits."""
    found: set[tuple[object, ...]] = set()
    for event in cluster.events(METRICS):
        if isinstance(event, MetricBatch):
            times = event.times * (event.count if len(event.times) == 8 else 1)
            for row, labels in enumerate(unpack_series(event.series)):
                span = slice(row * 8, row * 8 + 8)
                if ":" in dict(labels)["__name__"]:
                    found.add((labels, times[span], event.values[span]))
    return found


@settings(max_examples=30, deadline=None)
@given(text=rule_files(), sent=batches, scale=scales)
def test_partitions_and_restarts_change_no_alert_and_no_record(
    text: str, sent: Sequence[Sent], scale: Scale
) -> None:
    alone, scaled = play(text, sent, ALONE), play(text, sent, scale)
    assert decisions(scaled) == decisions(alone)
    assert recorded(scaled) == recorded(alone)


@settings(max_examples=15, deadline=None)
@given(text=rule_files(), sent=batches, scale=scales)
def test_who_is_restarted_says_nothing_twice_and_nothing_else(
    text: str, sent: Sequence[Sent], scale: Scale
) -> None:
    cluster = play(text, sent, scale)
    for kind in (AlertBatch, Gathered, Marker):
        ids = cluster.ids(kind)
        assert len(ids) == len(set(ids))
