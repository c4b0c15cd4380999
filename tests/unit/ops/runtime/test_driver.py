"""What the embedded driver does when the log does not take what a stage decided."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from notifiers.router import Router
from ops.runtime import driver as module
from ops.runtime.driver import Driver
from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_reader import Reader
from ops.transport.stage_log import StageCommit
from processors.detector import Detector
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.errors import LogAway
from schemas.stage import Message, Output, Partition, Position, Step
from schemas.topics import ALERTS, CODEC
from tests.support.build import T0, metrics_message, rules_plan_messages, samples
from tests.unit.notifiers.scenario import batch, level, sealed

RULES = """
groups:
  - name: g
    rules: [{alert: Hot, expr: temperature > 90, evaluation: interval}]
"""


class Moody(SqliteLog):
    """Refuses a stage's commits while told to."""

    def __init__(self, path: Path) -> None:
        self.now = T0
        self.full = False
        super().__init__(path, lambda: self.now)

    def commit_stage(self, commit: StageCommit) -> list[Position]:
        if self.full:
            raise LogAway("full")
        return super().commit_stage(commit)


@pytest.fixture
def log(tmp_path: Path) -> Moody:
    made = Moody(tmp_path / "log")
    made.publish(rules_plan_messages(RULES))
    return made


def drained(driver: Driver) -> None:
    while driver.turn():
        pass


def told(log: Moody) -> list[tuple[str, int]]:
    reader = log.reader()
    records, _ = reader.read(Partition(ALERTS, 0), 0)
    reader.close()
    levels: Sequence[tuple[str, int]] = [
        (level.state, event.decided_at)
        for record in records
        for event in [CODEC.decode(record.value).event]
        for level in event.alerts  # type: ignore[attr-defined]
    ]
    return list(levels)


def heat(log: Moody, second: int, value: float) -> None:
    log.now = T0 + second * 1_000
    log.publish([metrics_message(samples("a", {"temperature": value}, log.now), log.now, second)])


def test_a_commit_that_failed_is_repeated_and_decides_nothing_twice(log: Moody) -> None:
    driver = Driver(log, Detector, commit_within=0.0)
    drained(driver)
    heat(log, 1, 95)
    drained(driver)
    log.full = True
    heat(log, 16, 95)
    for _ in range(3):
        with pytest.raises(LogAway):
            drained(driver)
    assert told(log) == []
    log.full = False
    heat(log, 31, 20)
    drained(driver)
    assert told(log) == [("firing", T0 + 15_000)]
    heat(log, 32, 20)
    heat(log, 46, 20)
    drained(driver)
    assert told(log) == [("firing", T0 + 15_000), ("resolved", T0 + 45_000)]
    driver.close()
    log.close()


def test_a_plan_whose_commit_failed_is_loaded_once_it_is_committed(tmp_path: Path) -> None:
    log = Moody(tmp_path / "other")
    driver = Driver(log, Detector, commit_within=0.0)
    heat(log, 1, 95)
    drained(driver)
    log.publish(rules_plan_messages(RULES))
    log.full = True
    with pytest.raises(LogAway):
        drained(driver)
    log.full = False
    heat(log, 16, 95)
    drained(driver)
    assert told(log) == [("firing", T0 + 15_000)]
    driver.close()
    log.close()


def test_a_wake_up_is_appended_once_when_its_time_has_come(log: Moody) -> None:
    driver = Driver(log, Detector, commit_within=0.0)
    heat(log, 1, 95)
    drained(driver)
    log.now = T0 + 15_000
    drained(driver)
    assert told(log) == []
    log.now = T0 + 15_001
    drained(driver)
    drained(driver)
    assert told(log) == [("firing", T0 + 15_000)]
    reader = log.reader()
    records, _ = reader.read(driver.partition, 0)
    reader.close()
    kinds = [CODEC.decode(record.value).event.KIND for record in records]
    assert kinds == ["plan", "metrics", "wakeup"]
    driver.close()
    log.close()


class Fragile(Detector):
    """Raises on the values of one instance."""

    def step(self, batch, now):  # type: ignore[no-untyped-def]
        if any(each.envelope.id.startswith("agent-poison") for each in batch):
            raise ZeroDivisionError("poisoned")
        return super().step(batch, now)


def test_poison_right_behind_a_gap_is_buried_like_any_other(tmp_path: Path) -> None:
    log = Moody(tmp_path / "other")
    for number in range(14):
        name = "poison" if number > 3 else "a"
        log.publish([metrics_message(samples(name, {"x": 1.0}, log.now), log.now)])
        log.now += 3_600_000
    gone: dict[str, int] = {}
    driver = Driver(log, Fragile, commit_within=0.0, count=lambda name, n: gone.update({name: n}))
    driver._next = driver._committed = 0
    reader = log.reader()
    begin = reader.begin(driver.partition)
    reader.close()
    assert begin > 0
    drained(driver)
    assert gone["gap"] == begin
    assert gone["dead:stage failed"] == 1
    assert driver.error is None
    assert driver.lag == 0
    driver.close()
    log.close()


class Shouting(Detector):
    """Says more than a message holds."""

    def step(self, batch, now):  # type: ignore[no-untyped-def]
        step = super().step(batch, now)
        level = AlertLevel(
            labels={str(n): "x" * 60_000 for n in range(20)}, state=AlertState.FIRING, active_at=1
        )
        event = AlertBatch(source="s", plan=1, decided_at=now, alerts=(level,))
        return Step([*step.outputs, Output(ALERTS, "default", "x", event)], step.changes)


def test_an_output_too_large_is_counted_and_does_not_stop_the_stage(log: Moody) -> None:
    counted: dict[str, int] = {}
    driver = Driver(
        log, Shouting, commit_within=0.0, count=lambda name, n: counted.update({name: n})
    )
    drained(driver)
    heat(log, 1, 95)
    drained(driver)
    assert counted["output too large"] == 1
    assert driver.lag == 0
    driver.close()
    log.close()


def test_whoever_waits_for_a_record_has_it_committed_at_once(log: Moody) -> None:
    driver = Driver(log, Detector, commit_within=3_600.0)
    drained(driver)
    (position,) = log.publish([metrics_message(samples("a", {"x": 1.0}, log.now), log.now)])
    drained(driver)
    assert not driver.taken(position.offset, 0.0)
    drained(driver)
    assert driver.taken(position.offset, 0.0)
    driver.close()


class Once(threading.Event):
    """Ends a run with the first wait for it, and knows how long that would have been."""

    def wait(self, timeout: float | None = None) -> bool:
        self.timeout = timeout
        self.set()
        return True


def test_a_stream_of_few_records_is_read_a_few_at_a_time(
    log: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STREAM", 1_000.0)
    driver = Driver(log, Detector, commit_within=3_600.0)
    drained(driver)
    stop = Once()
    heat(log, 1, 20.0)
    driver.run(stop)
    assert stop.timeout == 1_000.0
    assert driver.lag == 0
    log.close()


def test_a_lone_record_and_one_that_is_waited_for_are_followed_by_no_pause(
    log: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STREAM", 1_000.0)
    driver = Driver(log, Detector, commit_within=3_600.0)
    pauses = []
    for second in range(3):
        heat(log, second, 20.0)
        if second == 2:
            driver.taken(driver.lag + 100, 0.0)
        assert driver.turn()
        pauses.append(driver.streaming)
    assert pauses == [False, True, False]
    driver.close()
    log.close()


class MadeAnew(Reader):
    """Finds, as Kafka's may, that the topic is another one than that of the offset."""

    def committed(self, group: str, partition: Partition) -> int | None:
        self.anew = True
        return None


class Renewed(Moody):
    """Its topics, made anew, hold the very same records; `anew` is who finds out."""

    anew = False

    def reader(self) -> Reader:
        kind = MadeAnew if self.anew else Reader
        return kind(self.path, lambda one: self._spans.get(one, ()), self._writer.fail)


def test_a_router_knows_after_a_restart_that_it_has_seen_nothing_of_a_topic_made_anew(
    tmp_path: Path,
) -> None:
    log, counts = Renewed(tmp_path / "log"), Counter[str]()

    def count(name: str, amount: int) -> None:
        counts[name] += amount

    for at in range(3):
        told = batch(at, level("firing", at, alertname=f"A{at}"), level("firing", 0, alertname="B"))
        log.publish([Message(ALERTS, "", CODEC.encode(sealed(told, log.now)))])
    for anew in (False, True, False):
        log.anew = anew
        driver = Driver(log, lambda: Router(atomic=True), commit_within=0.0, count=count)
        if not anew:
            drained(driver)
        driver.close()
    log.close()
    assert counts["record replayed"] == 0
    assert counts["level changed"] + counts["level unchanged"] + counts["level older"] == 2 * 6
    assert counts[module.TOPIC_ANEW] == 1
