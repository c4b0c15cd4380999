"""What the embedded log does beyond the laws of every transport."""

import sqlite3
from pathlib import Path

import pytest

from ops.data_directory import DataDirectory
from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_segments import Catalogue
from ops.transport.sqlite_writer import Limits
from ops.transport.stage_log import StageCommit
from schemas.errors import DataDirectoryError, LogAway, LogFull, Refused
from schemas.stage import Message, Partition, StateChange
from schemas.topics import ALERTS, DEAD_LETTERS, METRICS

HOUR = 3_600_000
P = Partition(METRICS, 0)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def __call__(self) -> int:
        return self.now


def fill(log: SqliteLog, topic: str, count: int) -> int:
    """Publish until refused; how many were taken."""
    for taken in range(count):
        try:
            log.publish([Message(topic, "k", b"x" * 10_000)])
        except LogFull:
            return taken
    return count


def test_segments_past_their_age_are_dropped_and_the_gap_is_told(tmp_path: Path) -> None:
    clock = Clock()
    log = SqliteLog(tmp_path / "log", clock)
    for _ in range(10):
        log.publish([Message(METRICS, "k", b"x")])
        clock.now += HOUR
    inbox = log.inbox("late", [METRICS])
    records = inbox.poll(0)
    gap = inbox.gaps()[0]
    assert (gap.first, gap.resumed) == (0, records[0].offset)
    assert clock.now - records[0].appended_at <= 8 * HOUR
    assert inbox.gaps() == []
    inbox.close()
    log.close()


def test_inputs_beyond_their_size_lose_their_oldest_segments(tmp_path: Path) -> None:
    clock = Clock()
    log = SqliteLog(tmp_path / "log", clock, limits=Limits(retain=300_000, segment=100_000))
    for _ in range(100):
        log.publish([Message(METRICS, "k", b"x" * 10_000)])
        clock.now += 6_000
    reader = log.reader()
    assert 30 <= reader.end(P) - reader.begin(P) <= 60
    reader.close()
    log.close()


def test_a_full_log_refuses_inputs_and_still_takes_decisions(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", Clock(), limits=Limits(file=2_000_000, reserve=500_000))
    assert 50 < fill(log, METRICS, 1_000) < 200
    with pytest.raises(LogFull, match="reserve"):
        log.publish([Message(METRICS, "k", b"x" * 10_000)])
    log.publish([Message(ALERTS, "k", b"decided")])
    log.commit_stage(StageCommit("detector", P, 3, [Message(ALERTS, "k", b"too")]))
    log.close()


def test_when_even_the_reserve_is_gone_decisions_fail_cleanly_and_nothing_is_half_written(
    tmp_path: Path,
) -> None:
    log = SqliteLog(tmp_path / "log", Clock(), limits=Limits(file=600_000, reserve=100_000))
    taken = fill(log, ALERTS, 100)
    assert 20 < taken < 60
    inbox = log.inbox("g", [ALERTS])
    assert len(inbox.poll(0, 1_000)) == taken
    inbox.close()
    log.close()


def test_a_stage_commits_outputs_state_and_offset_together(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", Clock())
    log.commit_stage(
        StageCommit("s", P, 7, [Message(ALERTS, "k", b"out")], [StateChange("a", b"1")])
    )
    log.commit_stage(StageCommit("s", P, 9, [], [StateChange("a", None), StateChange("b", b"2")]))
    log.close()
    log = SqliteLog(tmp_path / "log", Clock())
    reader = log.reader()
    assert reader.committed("s", P) == 9
    assert reader.state("s", 0) == [("b", b"2")]
    assert reader.end(Partition(ALERTS, 0)) == 1
    reader.close()
    log.close()


def test_a_clock_that_goes_back_does_not_take_append_time_with_it(tmp_path: Path) -> None:
    clock = Clock()
    log = SqliteLog(tmp_path / "log", clock)
    first = log.publish([Message(METRICS, "k", b"x")])[0].appended_at
    clock.now -= HOUR
    assert log.publish([Message(METRICS, "k", b"x")])[0].appended_at == first
    log.close()
    log = SqliteLog(tmp_path / "log", clock)
    assert log.publish([Message(METRICS, "k", b"x")])[0].appended_at == first
    log.close()


def test_the_offset_at_a_time_is_that_of_the_first_record_since(tmp_path: Path) -> None:
    clock = Clock()
    log = SqliteLog(tmp_path / "log", clock, limits=Limits(segment=20))
    times = []
    for _ in range(20):
        times.append(clock.now)
        log.publish([Message(METRICS, "k", b"x")])
        clock.now += 10
    reader = log.reader()
    assert [reader.offset_at(P, at) for at in times] == list(range(20))
    assert reader.offset_at(P, times[4] + 1) == 5
    assert reader.offset_at(P, times[-1] + 1) == 20
    reader.close()
    log.close()


def test_a_closed_log_says_so(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", Clock())
    log.close()
    with pytest.raises(LogAway, match="closed"):
        log.publish([Message(METRICS, "k", b"x")])


def test_a_file_that_is_no_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"hello" * 1_000)
    with pytest.raises(DataDirectoryError, match="restore it from a backup"):
        SqliteLog(tmp_path / "log", Clock())


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    SqliteLog(tmp_path / "log", Clock()).close()
    database = sqlite3.connect(tmp_path / "log")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(DataDirectoryError, match="newer Tocsin"):
        SqliteLog(tmp_path / "log", Clock())


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path / "d")
    with pytest.raises(DataDirectoryError, match="in use by process"):
        DataDirectory(tmp_path / "d")
    first.close()
    DataDirectory(tmp_path / "d").close()


@pytest.mark.parametrize(("marker", "says"), [("99", "newer Tocsin"), ("old", "not a version")])
def test_a_directory_of_another_version_is_refused(tmp_path: Path, marker: str, says: str) -> None:
    DataDirectory(tmp_path / "d").close()
    (tmp_path / "d" / "VERSION").write_text(marker)
    with pytest.raises(DataDirectoryError, match=says):
        DataDirectory(tmp_path / "d")


def test_a_directory_with_other_things_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "photos").touch()
    with pytest.raises(DataDirectoryError, match="not a Tocsin data directory"):
        DataDirectory(tmp_path)


def test_a_key_that_is_no_text_is_refused_and_stops_nobody(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", Clock())
    with pytest.raises(Refused, match="UTF-8"):
        log.publish([Message(METRICS, "\ud800", b"x")])
    log.publish([Message(METRICS, "k", b"x")])
    assert log.broken is None
    log.close()


def test_whatever_the_writer_meets_is_said_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SqliteLog(tmp_path / "log", Clock())

    def run_out(*_: object) -> None:
        raise MemoryError("no more")

    monkeypatch.setattr(Catalogue, "append", run_out)
    for _ in range(2):
        with pytest.raises(LogAway, match="no more"):
            log.publish([Message(METRICS, "k", b"x")])
    assert "no more" in str(log.broken)
    log.close()


def test_a_file_full_of_decisions_that_everybody_has_read_makes_room_for_new_ones(
    tmp_path: Path,
) -> None:
    log = SqliteLog(tmp_path / "log", Clock(), limits=Limits(file=4_000_000, reserve=200_000))
    alerts = Partition(ALERTS, 0)
    for number in range(1_200):
        log.publish([Message(ALERTS, "k", b"y" * 10_000)])
        log.commit_offsets("router", {alerts: number + 1})
    reader = log.reader()
    assert reader.end(alerts) == 1_200
    assert reader.begin(alerts) > 0
    reader.close()
    log.close()


def test_decisions_that_somebody_has_not_read_are_kept_whatever_comes(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", Clock(), limits=Limits(file=4_000_000, reserve=200_000))
    alerts = Partition(ALERTS, 0)
    log.commit_offsets("historian", {alerts: 0})
    taken = fill(log, ALERTS, 1_000)
    reader = log.reader()
    assert reader.begin(alerts) == 0
    assert reader.end(alerts) == taken < 400
    reader.close()
    log.close()


def test_dead_letters_have_no_claim_on_the_reserve(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", Clock(), limits=Limits(file=2_000_000, reserve=500_000))
    assert fill(log, DEAD_LETTERS, 1_000) > 50
    log.publish([Message(ALERTS, "k", b"decided")])
    log.close()
