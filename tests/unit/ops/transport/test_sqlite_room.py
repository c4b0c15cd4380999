"""Time-outs and room: what a caller knows of a request that was not answered or not taken."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_writer import Limits, Request
from schemas.errors import LogAway, LogFull
from schemas.stage import Message, Partition
from schemas.topics import ALERTS, METRICS

P = Partition(METRICS, 0)
INPUT = Message(METRICS, "k", b"input")
DECISION = Message(ALERTS, "k", b"decision")


class Disk:
    """A disk that stands still while `stuck` is set."""

    def __init__(self) -> None:
        self.moves = threading.Event()
        self.moves.set()
        self.reached = threading.Event()

    def __call__(self, point: str) -> None:
        if point == "log.before-commit":
            self.reached.set()
            self.moves.wait(30)

    def stick(self) -> None:
        self.reached.clear()
        self.moves.clear()


def _decided() -> Request:
    """What `commit_stage` asks for, whose patience is longer than a test's."""
    return Request([DECISION], True, 8, {("router", P): 7})


def _fill(log: SqliteLog, piece: Message) -> None:
    for _ in range(100):
        log.publish([piece])


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def log(tmp_path: Path, disk: Disk) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path / "log", lambda: 1_000_000_000_000, crash=disk)
    yield log
    disk.moves.set()
    log.close()


def test_what_was_given_up_while_it_waited_is_never_written(log: SqliteLog, disk: Disk) -> None:
    disk.stick()
    first = threading.Thread(target=log.publish, args=([INPUT],))
    first.start()
    assert disk.reached.wait(10)
    with pytest.raises(LogAway):
        log._writer.submit(_decided(), 0.05)
    with pytest.raises(LogAway):
        log.publish([INPUT], timeout=0.05)
    disk.moves.set()
    first.join()
    log.publish([INPUT])
    reader = log.reader()
    assert reader.end(P) == 2
    assert reader.end(Partition(ALERTS, 0)) == 0
    assert reader.committed("router", P) is None
    reader.close()


def test_a_stage_whose_commit_is_being_written_waits_for_its_end(
    log: SqliteLog, disk: Disk
) -> None:
    disk.stick()
    answers: list[int] = []

    def commit() -> None:
        found = log._writer.submit(_decided(), 0.05)
        answers.append(found[0].offset)

    stage = threading.Thread(target=commit)
    stage.start()
    assert disk.reached.wait(10)
    stage.join(0.3)
    assert stage.is_alive()
    disk.moves.set()
    stage.join(10)
    assert answers == [0]


def test_inputs_leave_the_reserve_on_the_disk_alone_and_are_counted(tmp_path: Path) -> None:
    more_than_any_disk = 1 << 60
    limits = Limits(file=2 * more_than_any_disk, reserve=more_than_any_disk)
    log = SqliteLog(tmp_path / "log", lambda: 1_000_000_000_000, limits=limits)
    with pytest.raises(LogFull):
        log.publish([INPUT])
    log.publish([DECISION])
    assert log.refused == 1
    assert log.appended == {ALERTS: 1}
    log.close()


def test_a_full_log_drops_what_is_old_though_nothing_but_inputs_comes(tmp_path: Path) -> None:
    now = [1_000_000_000_000]
    limits = Limits(file=3_000_000, reserve=1_000_000, retain=500_000, segment=100_000)
    log = SqliteLog(tmp_path / "log", lambda: now[0], limits=limits)
    piece = Message(METRICS, "k", b"x" * 50_000)
    log.publish([piece])  # the look at what is old
    with pytest.raises(LogFull):
        _fill(log, piece)
    now[0] += 6_000
    with pytest.raises(LogFull):
        log.publish([piece])
    log.publish([piece])
    log.close()
