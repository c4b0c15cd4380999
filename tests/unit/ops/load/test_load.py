"""The synthetic fleet publishes exactly what it says, at a steady pace."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.cli import main
from ops.cli.load import breach_of, report_of, text_of
from ops.load.fleet import Breach, Fleet
from ops.load.latency import Latency
from ops.load.pace import Pace
from ops.load.run import GRACE, Clocks, Count, Load
from schemas.envelope import Envelope
from schemas.errors import LogAway, Refused
from schemas.metrics import MetricBatch
from schemas.series import unpack_series
from schemas.stage import Message, Partition, Position
from schemas.topics import CODEC, METRICS


class World:
    """A clock that goes by waiting and by publishing, and a log that may be away."""

    def __init__(self, costs: float = 0.0, away: Sequence[int] = (), end: float = 1e9) -> None:
        self.now, self.end = 0.0, end
        self.costs, self.away, self.calls = costs, set(away), 0
        self.got: list[Envelope] = []

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        self.calls += 1
        self.now += self.costs
        if self.calls in self.away:
            raise LogAway("no")
        assert {each.topic for each in messages} == {METRICS}
        for each in messages:
            envelope = CODEC.decode(each.value)
            assert isinstance(envelope.event, MetricBatch)
            assert each.key == envelope.event.instance
            self.got.append(envelope)
        return [Position(Partition(METRICS, 0), n, 0) for n in range(len(messages))]

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.end

    def run(self, fleet: Fleet, pace: Pace) -> Count:
        clocks = Clocks(lambda: self.now, lambda: 1_000_000 + round(self.now * 1000), self.wait)
        return Load(fleet, pace, self, clocks).run()


def test_it_publishes_exactly_what_it_says() -> None:
    world = World()
    count = world.run(Fleet(7, 120, batch=50), Pace(7, 10.0, 60.0))
    assert count.fine
    assert (count.acknowledged, count.samples) == (7 * 6 * 3, 7 * 6 * 120)
    assert len(world.got) == count.acknowledged
    assert sum(each.event.count for each in world.got) == count.samples  # type: ignore[attr-defined]
    by_producer = itertools.groupby(
        sorted(world.got, key=lambda e: e.producer.name), lambda e: e.producer.name
    )
    for name, sent in by_producer:
        assert [each.producer.sequence for each in sent] == list(range(1, 19))
        assert count.last[name] == 18
    assert {each.producer.epoch for each in world.got} == {1_000_000} == {count.epoch}


def test_hosts_speak_evenly_and_nothing_drifts() -> None:
    world = World(costs=0.3)
    count = world.run(Fleet(4, 10), Pace(4, 10.0, 100.0))
    at = [int.from_bytes(e.event.times, "little") for e in world.got]  # type: ignore[attr-defined]
    assert at == [1_000_000 + n * 2_500 for n in range(40)]
    assert [each.sent_at - each_at for each, each_at in zip(world.got, at, strict=True)] == [0] * 40
    assert count.p50 == pytest.approx(0.3, rel=0.02)


def test_a_log_that_is_too_slow_makes_it_miss_turns() -> None:
    world = World(costs=30.0)
    count = world.run(Fleet(2, 10), Pace(2, 10.0, 100.0))
    assert count.missed > 0
    assert count.missed + count.acknowledged == 20
    assert not count.fine
    assert count.latest <= 10.0


def test_what_was_not_acknowledged_is_sent_again_under_the_same_numbers() -> None:
    world = World(away=(1, 2, 4))
    count = world.run(Fleet(1, 10), Pace(1, 10.0, 30.0))
    assert (count.acknowledged, count.failures, count.unsure) == (3, 3, 0)
    assert [each.producer.sequence for each in world.got] == [1, 2, 3]


def test_an_end_while_the_log_is_away_says_what_is_unsure() -> None:
    world = World(away=range(2, 100), end=12.0)
    count = world.run(Fleet(1, 10), Pace(1, 10.0, 30.0))
    assert (count.acknowledged, count.unsure) == (1, 1)
    assert not count.fine


def test_a_log_that_stays_away_is_given_up_after_the_end() -> None:
    world = World(away=range(1, 10_000))
    count = world.run(Fleet(1, 10), Pace(1, 10.0, 30.0))
    assert (count.acknowledged, count.unsure) == (0, 1)
    assert 30 + GRACE < world.now < 30 + GRACE + 16
    assert not count.fine


def test_an_end_is_obeyed_also_when_there_is_always_more_to_send() -> None:
    world = World(costs=5.0, end=12.0)
    count = world.run(Fleet(10, 10), Pace(10, 10.0, 1e6))
    assert count.acknowledged < 20


@given(st.integers(1, 500), st.integers(1, 300))
def test_a_host_has_the_series_asked_for_each_once(series: int, batch: int) -> None:
    host = Fleet(1, series, batch).hosts[0]
    assert len(set(host.labels)) == series
    batches = host.batches(0.0, 1)
    assert [each.count for each in batches[:-1]] == [batch] * (len(batches) - 1)
    assert sum(each.count for each in batches) == series
    found = [labels for each in batches for labels in unpack_series(each.series)]
    assert found == list(host.labels)


def values(fleet: Fleet, host: int, x: float, name: str, **labels: str) -> list[float]:
    one = fleet.hosts[host]
    measured = one.values(x, [b for b in fleet.breaches if host < b.hosts])
    wanted = {"__name__": name, **labels}.items()
    return [v for of, v in zip(one.labels, measured, strict=True) if wanted <= dict(of).items()]


def test_a_breach_is_what_the_default_rules_look_for_and_it_ends() -> None:
    fleet = Fleet(3, 100, breaches=[Breach(2, 30.0, 60.0)])
    marks = [
        [values(fleet, host, x, "tocsin_load_breach")[0] for x in (29, 30, 89, 90)]
        for host in range(3)
    ]
    assert marks == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    idle = [values(fleet, 0, x, "node_cpu_seconds_total", mode="idle") for x in (0, 30, 90, 100)]
    for before, began, ended, after in zip(*idle, strict=True):
        assert began - before == pytest.approx(24)
        assert ended == pytest.approx(began)
        assert after - ended == pytest.approx(8)
    total = values(fleet, 0, 60, "node_memory_MemTotal_bytes")[0]
    assert 0 < values(fleet, 0, 60, "node_memory_MemAvailable_bytes")[0] < 0.15 * total
    assert values(fleet, 2, 60, "node_memory_MemAvailable_bytes")[0] > 0.3 * total
    size = values(fleet, 0, 60, "node_filesystem_size_bytes", mountpoint="/")[0]
    assert 0 < values(fleet, 0, 60, "node_filesystem_avail_bytes", mountpoint="/")[0] < 0.1 * size
    assert values(fleet, 0, 60, "node_load1")[0] / 4 > 2


def test_equal_seeds_make_equal_fleets() -> None:
    one, same, other = (Fleet(2, 50, seed=seed).batches(1, 5.0, 1) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@given(st.lists(st.floats(1e-5, 1e3), min_size=1))
def test_a_quantile_is_right_to_two_percent(seconds: list[float]) -> None:
    latency = Latency()
    for each in seconds:
        latency.add(each)
    assert latency.quantile(1.0) == pytest.approx(max(seconds), rel=0.02)
    assert latency.quantile(0.0) >= min(seconds) * 0.98
    assert Latency().quantile(0.5) == 0


@pytest.mark.parametrize("text", ["3", "@3s", "3@", "3@3", "3@3s+", "x@3s", "3@3s+0s"])
def test_a_breach_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="--breach"):
        breach_of(text)


def test_the_report_is_for_people_and_for_programs() -> None:
    assert breach_of("3@30s+1m") == Breach(3, 30.0, 60.0)
    world = World()
    fleet = Fleet(3, 10, breaches=[breach_of("2@5s")])
    count = world.run(fleet, Pace(3, 10.0, 10.0))
    report = json.loads(json.dumps(report_of(count, fleet)))
    assert report["breaches"] == [{"at_ms": 1_005_000, "hosts": ["load-00001", "load-00002"]}]
    assert (report["batches"], report["samples"]) == (3, 30)
    assert text_of(report).startswith("3 batches, 30 samples acknowledged, of 3 hosts with 30")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("--hosts 0 --series 1", "--hosts: must be from 1"),
        ("--hosts 1 --series 0", "--series: must be from 1"),
        ("--hosts 1 --series 1 --batch 0", "--batch: must be from 1"),
        ("--hosts 100000 --series 100000", "run several fleets"),
        ("--hosts 1 --series 1 --interval 10", "--interval: write a duration"),
        ("--hosts 1 --series 1 --for 0s", "--for: must be at least 1ms"),
        ("--hosts 1 --series 1 --breach x", "--breach: 'x': write K@T"),
        ("--hosts 1 --series 1", "set kafka.bootstrap, or name a --server"),
        ("--hosts 1 --series 1 --server http://127.0.0.1:1", "--token-file: is missing"),
        ("--hosts 1 --series 1 --server http://127.0.0.1:1 --token-file no", "--token-file: no"),
    ],
)
def test_a_load_that_cannot_be_is_refused(
    call: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ops.logs.configure", lambda *_: None)
    assert main(["load", *call.split()]) == 2
    assert said in capsys.readouterr().err
