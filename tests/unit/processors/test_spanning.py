"""Rule groups that span instances: partitions that are not heard of, and other plans."""

from collections.abc import Iterator

import numpy as np
import pytest

from ops.transport.keys import partition_of
from processors.detector import Detector
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.gathered import Gathered, Marker
from schemas.labels import labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.stage import Message
from schemas.topics import ALERTS, GATHERED, METRICS
from tests.support.build import T0, metrics_message, rules_plan_messages
from tests.support.cluster import Cluster, Member

HOT = "groups: [{name: all, interval: 15s, rules: [{alert: Hot, expr: 'sum(temperature) > 150'}]}]"
SOURCE = "rules.yml:all"
SILENT = "TocsinSourceSilent"


def host_on(partition: int, of: int) -> str:
    return next(f"host-{n}" for n in range(99) if partition_of(f"host-{n}", of) == partition)


class Fleet:
    """A host on each of three partitions that says how hot it is every five seconds."""

    def __init__(self, text: str = HOT, partitions: int = 3) -> None:
        self.cluster = Cluster(partitions, 1, T0)
        self.hosts = [host_on(n, 3) for n in range(3)]
        self.heat = dict.fromkeys(self.hosts, 40.0)
        self._plan = 0
        self._sequence = 0
        self.follow(text)
        self.cluster.run_until(T0 + 1_000)

    def follow(self, text: str) -> None:
        self._plan += 1
        pieces = rules_plan_messages(text, self._plan, partitions=len(self.cluster.detectors))
        spanning = [Message(GATHERED, "", p.value, 0) for p in pieces if p.partition == 0]
        self.cluster.publish([*pieces, *spanning])

    def go_on(self, seconds: int) -> None:
        for _ in range(seconds // 5):
            self._sequence += 1
            for host in self.hosts:
                labels = labels_of({"__name__": "temperature", "instance": host})
                batch = metric_batch(host, [labels], [self.heat[host]], [self.cluster.now])
                self.cluster.publish([metrics_message(batch, self.cluster.now, self._sequence)])
            self.cluster.run_until(self.cluster.now + 5_000)

    def restart(self) -> None:
        for member in self.cluster.members:
            self.cluster.restart(member)

    @property
    def slow(self) -> Member:
        """The detector of the partition that tests let stand still."""
        return self.cluster.detectors[2]

    def levels(self, name: str) -> list[tuple[int, AlertLevel]]:
        return [
            ((event.decided_at - T0) // 1000, level)
            for event in self.cluster.events(ALERTS)
            if isinstance(event, AlertBatch)
            for level in event.alerts
            if level.labels["alertname"] == name
        ]

    def changes(self, name: str) -> Iterator[tuple[int, AlertState]]:
        return ((at, level.state) for at, level in self.levels(name) if level.changed)


def test_a_sum_over_partitions_is_decided_once_and_at_the_instant() -> None:
    fleet = Fleet()
    fleet.go_on(30)
    fleet.heat = dict.fromkeys(fleet.hosts, 60.0)
    fleet.go_on(60)
    assert list(fleet.changes("Hot")) == [(45, "firing")]
    assert fleet.levels("Hot")[0][1].value == 180.0
    assert not fleet.levels(SILENT)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_partition_that_stands_still_holds_the_group_for_two_minutes(restarts: bool) -> None:
    fleet = Fleet()
    fleet.heat = dict.fromkeys(fleet.hosts, 80.0)
    fleet.go_on(30)
    assert list(fleet.changes("Hot")) == [(15, "firing")]
    fleet.slow.stalled = True
    fleet.heat = dict.fromkeys(fleet.hosts, 10.0)
    fleet.go_on(110)
    if restarts:
        fleet.restart()
    assert list(fleet.changes("Hot")) == [(15, "firing")], "the alert stands as it is"
    fleet.go_on(40)
    (at, gone), (silent_at, silent) = fleet.levels("Hot")[-1], fleet.levels(SILENT)[0]
    assert (at, gone.state) == (45, "resolved"), "decided as of its own instant"
    assert gone.annotations["incomplete"] == "partitions 2"
    assert 165 <= silent_at <= 167
    assert silent.labels == {"alertname": SILENT, "group": SOURCE, "partition": "2"}
    assert silent.state == "firing"
    if restarts:
        fleet.restart()
    fleet.heat = dict.fromkeys(fleet.hosts, 100.0)
    fleet.go_on(30)
    assert list(fleet.changes("Hot"))[2:] == [(195, "firing")], "nobody waits any more"
    fleet.slow.stalled = False
    fleet.go_on(75)
    assert [state for _, state in fleet.changes(SILENT)] == ["firing", "resolved"]
    assert len(fleet.levels(SILENT)) > 2, "it is told every minute"
    assert "incomplete" in fleet.levels("Hot")[-2][1].annotations
    assert "incomplete" not in fleet.levels("Hot")[-1][1].annotations


def test_when_everything_stood_still_nobody_is_silent() -> None:
    fleet = Fleet()
    fleet.go_on(40)
    cluster = fleet.cluster
    for member in cluster.members:
        member.stalled = True
    cluster.run_until(cluster.now + 600_000)
    for member in cluster.members:
        member.stalled = False
    fleet.go_on(120)
    assert not fleet.levels(SILENT)
    fleet.heat = dict.fromkeys(fleet.hosts, 60.0)
    fleet.go_on(30)
    assert [state for _, state in fleet.changes("Hot")] == ["firing"]


def test_a_group_that_is_new_sees_what_came_before_it() -> None:
    fleet = Fleet()
    fleet.heat = dict.fromkeys(fleet.hosts, 60.0)
    fleet.go_on(60)
    fleet.heat = dict.fromkeys(fleet.hosts, 1.0)
    later = HOT.replace("sum(temperature)", "sum(max_over_time(temperature[2m]))")
    fleet.follow(later.replace("Hot", "WasHot"))
    fleet.go_on(20)
    assert [state for _, state in fleet.changes("WasHot")] == ["firing"]
    assert fleet.levels("WasHot")[0][1].value == 180.0


def test_what_a_group_selected_already_is_not_sent_twice() -> None:
    fleet = Fleet()
    fleet.heat = dict.fromkeys(fleet.hosts, 60.0)
    fleet.go_on(60)
    fleet.restart()
    fleet.follow(HOT.replace("150", "170").replace("Hot", "Hotter"))
    fleet.go_on(60)
    sent = [event for event in fleet.cluster.events(GATHERED) if isinstance(event, Gathered)]
    assert sum(event.batch().count for event in sent) <= 3 * 120 / 5
    assert list(fleet.changes("Hotter")) == [(75, "firing")]
    assert [state for _, state in fleet.changes("Hot")] == ["firing", "resolved"]


def test_an_alert_of_a_rule_that_stays_goes_on_over_a_reload() -> None:
    fleet = Fleet()
    fleet.heat = dict.fromkeys(fleet.hosts, 60.0)
    fleet.go_on(60)
    fleet.follow(HOT.replace("]}]", ", {alert: New, expr: vector(1)}]}]"))
    fleet.go_on(60)
    assert list(fleet.changes("Hot")) == [(15, "firing")]
    assert list(fleet.changes("New")) == [(75, "firing")]


def test_a_group_that_is_gone_takes_its_silence_with_it() -> None:
    fleet = Fleet()
    fleet.go_on(30)
    fleet.slow.stalled = True
    fleet.go_on(180)
    fleet.follow("groups: []")
    fleet.go_on(20)
    assert [state for _, state in fleet.changes(SILENT)] == ["firing", "resolved"]


LONG = HOT.replace("sum(temperature) > 150", "sum(avg_over_time(temperature[3h])) > 120").replace(
    "Hot", "Long"
)


def long_ranges(partitions: int, restarts: bool) -> list[tuple[int, str, float]]:
    fleet = Fleet(HOT, partitions)
    fleet.heat = {host: 30.0 + 7 * number for number, host in enumerate(fleet.hosts)}
    fleet.go_on(600)
    fleet.follow(LONG)
    for number in range(8):
        fleet.heat = {host: heat + 3.1 * number for host, heat in fleet.heat.items()}
        fleet.go_on(130)
        if restarts:
            fleet.restart()
    return [(at, str(level.state), level.value) for at, level in fleet.levels("Long")]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_long_range_over_partitions_is_what_it_is_over_one(restarts: bool) -> None:
    alone = long_ranges(1, False)
    assert {state for _, state, _ in alone} == {"firing"}
    assert long_ranges(3, restarts) == alone


COUNTED = "groups: [{{name: all, interval: {}, rules: [{{record: counted, expr: '{}'}}]}}]"
HOUR = 3_600_000


def counted(partitions: int, interval: str, expression: str, hours: int) -> list[float]:
    """What is recorded of four hosts that send each half minute, one of them four minutes late."""
    start = T0 - T0 % (24 * HOUR)
    cluster = Cluster(partitions, 1, start)
    pieces = rules_plan_messages(COUNTED.format(interval, expression), 1, partitions=partitions)
    spanning = [Message(GATHERED, "", p.value, 0) for p in pieces if p.partition == 0]
    cluster.publish([*pieces, *spanning])
    for sequence in range(1, hours * 120):
        cluster.run_until(start + sequence * 30_000 + 7)
        for host, late in zip("abcd", (0, 0, 240_000, -2_000), strict=True):
            labels = [labels_of({"__name__": "temperature", "instance": host})]
            batch = metric_batch(host, labels, [1.0], [cluster.now - late])
            cluster.publish([metrics_message(batch, cluster.now, sequence)])
    cluster.run_until(cluster.now + 60_000)
    return [
        float(np.frombuffer(event.values, "<f8")[0])
        for event in cluster.events(METRICS)
        if isinstance(event, MetricBatch) and event.instance.startswith("rules/")
    ]


@pytest.mark.parametrize(
    ("interval", "expression", "hours", "last"),
    [
        ("45s", "sum(count_over_time(temperature[3h]))", 4, 4 * 360 - 8),
        ("10m", "sum(count_over_time(temperature[3h]))", 4, 4 * 360 - 8),
        ("30m", "sum(count_over_time(temperature[3h]))", 4, 4 * 360 - 8),
        ("1h", "sum(count_over_time(temperature[3h]))", 5, 4 * 360 - 8),
        ("3h", "sum(count_over_time(temperature[6h]))", 9, 4 * 720 - 8),
    ],
)
def test_a_long_range_holds_every_sample_however_long_the_interval(
    interval: str, expression: str, hours: int, last: int
) -> None:
    alone = counted(1, interval, expression, hours)
    assert counted(3, interval, expression, hours) == alone
    assert alone[-1] == pytest.approx(last, abs=8)


def test_an_alert_of_one_partition_ends_when_there_are_more_and_another_plan_comes() -> None:
    fleet = Fleet(HOT, partitions=1)
    fleet.heat = dict.fromkeys(fleet.hosts, 60.0)
    fleet.go_on(60)
    (member,) = fleet.cluster.detectors
    member.make = lambda: Detector(0, 3)
    fleet.cluster.restart(member)
    fleet.follow(HOT.replace("150", "151"))
    fleet.go_on(30)
    assert list(fleet.changes("Hot")) == [(15, "firing"), (61, "resolved")]
    assert any(isinstance(event, Marker) for event in fleet.cluster.events(GATHERED))
    assert not any(key.startswith("group/") for key in member.state)
