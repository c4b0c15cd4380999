"""The agent's threads: sources that fail, hang and recover; starting and stopping."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.agent import Agent
from collectors.sources.source import Observation
from collectors.spool import Spool
from schemas.envelope import Envelope
from schemas.labels import labels_of
from schemas.metrics import MetricBatch
from schemas.series import unpack_series
from tests.unit.collectors.log_fake import AWAY, LOST, FakeLog, as_a_reader_sees


class FakeSource:
    """Reads what it is told; `gate` closed, it hangs."""

    def __init__(self, name: str = "s", interval: float = 0.1) -> None:
        self.name = self.instance = name
        self.job = "test"
        self.interval = timedelta(seconds=interval)
        self.fault: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.label = "x"

    def read(self, at: int) -> int:
        self.gate.wait(20)
        if self.fault:
            raise self.fault
        return at

    def observe(self, reading: int) -> Observation:
        return Observation(reading, ((labels_of({"__name__": "m", "l": self.label}), 1.0),))


@contextmanager
def running(log: FakeLog, *sources: FakeSource, spool: Spool | None = None) -> Iterator[Agent]:
    agent = Agent(sources, log, producer="agent:t", spool=spool, jitter=lambda: 0.0)
    agent.start()
    try:
        yield agent
    finally:
        for source in sources:
            source.gate.set()
        agent.stop()


def ups(envelopes: list[Envelope], instance: str = "s") -> list[float]:
    """The values of `up`, in order."""
    found = []
    for envelope in envelopes:
        event = envelope.event
        if isinstance(event, MetricBatch) and event.instance == instance:
            values = memoryview(event.values).cast("d")
            found += [
                value
                for labels, value in zip(unpack_series(event.series), values, strict=True)
                if dict(labels)["__name__"] == "up"
            ]
    return found


def test_a_source_is_read_again_and_again_and_up_is_1() -> None:
    log = FakeLog()
    with running(log, FakeSource()) as agent:
        assert log.wait_for(lambda got: len(got) >= 3)
    assert set(ups(log.envelopes())) == {1.0}
    assert agent.figures()["tocsin_agent_readings_total"] >= 3
    sequences = [each.producer.sequence for each in log.envelopes()]
    assert sequences == list(range(1, len(sequences) + 1))
    assert {each.producer.epoch for each in log.envelopes()} == {agent.epoch}


def test_a_source_that_fails_is_up_0_is_logged_once_and_comes_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log, source = FakeLog(), FakeSource()
    source.fault = OSError("gone")
    with running(log, source) as agent:
        assert log.wait_for(lambda got: ups(got).count(0.0) >= 3)
        source.fault = None
        assert log.wait_for(lambda got: 1.0 in ups(got))
    assert agent.figures()["tocsin_agent_reading_failures_total"] >= 3
    assert len([r for r in caplog.records if r.getMessage() == "source failed"]) == 1


def test_a_source_that_hangs_is_up_0_delays_no_other_and_its_late_reading_is_thrown_away() -> None:
    log, stuck, well = FakeLog(), FakeSource("stuck"), FakeSource("well")
    stuck.gate.clear()
    with running(log, stuck, well) as agent:
        assert log.wait_for(lambda got: ups(got, "stuck").count(0.0) >= 2)
        assert log.wait_for(lambda got: ups(got, "well").count(1.0) >= 2)
        assert 1.0 not in ups(log.envelopes(), "stuck")
        stuck.gate.set()
        assert log.wait_for(lambda got: 1.0 in ups(got, "stuck"))
        figures = agent.figures()
    assert figures["tocsin_agent_late_readings_total"] == 1
    assert figures["tocsin_agent_missed_ticks_total"] >= 2
    times = [
        memoryview(each.event.times).cast("q")[0]
        for each in log.envelopes()
        if isinstance(each.event, MetricBatch) and each.event.instance == "stuck"
    ]
    assert times == sorted(times)


def test_a_source_whose_samples_cannot_be_packed_is_up_0() -> None:
    log, source = FakeLog(), FakeSource()
    source.label = "\udcff"
    with running(log, source):
        assert log.wait_for(lambda got: 0.0 in ups(got))


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Agent([FakeSource(), FakeSource()], FakeLog(), producer="a")


def test_stopping_leaves_nothing_unsent() -> None:
    log = FakeLog()
    with running(log, FakeSource()) as agent:
        assert log.wait_for(lambda got: len(got) >= 1)
        assert agent.stop()
        assert agent.figures()["tocsin_agent_batches_waiting"] == 0
        figures = agent.figures()
    assert figures["tocsin_agent_batches_sent_total"] == len(log.got)


def test_stopping_while_the_log_is_away_leaves_all_in_the_spool(tmp_path: Path) -> None:
    log = FakeLog()
    log.always = AWAY
    with running(log, FakeSource(), spool=Spool(tmp_path)) as agent:
        assert log.changed.acquire() is not None
        log.changed.wait_for(lambda: agent.figures()["tocsin_agent_log_away"] == 1.0, 10)
        log.changed.release()
        assert agent.stop()
    waiting = int(agent.figures()["tocsin_agent_batches_waiting"])
    assert waiting >= 1
    spool = Spool(tmp_path)
    log.always = "ok"
    with running(log, spool=spool):
        assert log.wait_for(lambda got: as_a_reader_sees(got) == list(range(1, waiting + 1)))


def test_stopping_does_not_wait_for_a_source_that_hangs() -> None:
    log, source = FakeLog(), FakeSource()
    source.gate.clear()
    with running(log, source) as agent:
        assert log.wait_for(lambda got: 0.0 in ups(got))
        assert agent.stop(timeout=2.0)
        before = len(log.got)
        source.gate.set()
    assert len(log.got) == before


def test_a_log_that_loses_its_answers_gets_everything_in_order(tmp_path: Path) -> None:
    log = FakeLog([LOST, AWAY, LOST])
    with running(log, FakeSource(), spool=Spool(tmp_path)) as agent:
        assert log.wait_for(lambda got: len(as_a_reader_sees(got)) >= 8, 15)
        agent.stop()
        figures = agent.figures()
    seen = as_a_reader_sees(log.envelopes())
    assert seen == list(range(1, len(seen) + 1))
    assert figures["tocsin_agent_batches_resent_total"] >= 1
    assert figures["tocsin_agent_batches_spooled_total"] >= 1
    assert figures["tocsin_agent_batches_dropped_total"] == 0
