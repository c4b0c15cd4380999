"""What is read from memory is what is read from the file."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_segments import Row
from ops.transport.sqlite_tail import KEPT, SMALL, extended, found
from schemas.stage import Message, Partition
from schemas.topics import ALERTS

HERE = Partition(ALERTS, 0)


def _rows(first: int, count: int, size: int = 1) -> list[Row]:
    return [(first + number, 7, "k", b"x" * size) for number in range(count)]


def _message(text: bytes) -> Message:
    return Message(ALERTS, "k", text)


def test_a_tail_has_the_newest_records_and_no_hole() -> None:
    tail: tuple[Row, ...] = ()
    for first in range(0, 3 * KEPT, 3):
        tail = extended(tail, _rows(first, 3))
    assert [row[0] for row in tail] == [*range(2 * KEPT, 3 * KEPT)]


def test_much_at_once_is_left_to_the_file() -> None:
    tail = extended((), _rows(0, 3))
    assert extended(tail, _rows(3, KEPT + 1)) == ()
    assert extended(tail, _rows(3, 1, SMALL)) == ()
    assert len(extended(tail, _rows(3, 1, SMALL - len("k")))) == 4
    assert [row[0] for row in extended((), _rows(9, 2))] == [9, 10]


@given(st.integers(0, 30), st.integers(1, KEPT), st.integers(0, 120), st.integers(1, 80))
def test_found_is_what_stands_there(first: int, count: int, offset: int, limit: int) -> None:
    tail = tuple(_rows(first, count))
    wanted = [row for row in tail if row[0] >= offset][:limit] if offset >= first else []
    assert [*found(tail, offset, limit)] == wanted


def test_a_reader_gets_the_same_from_memory_and_from_the_file(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", lambda: 1_000)
    for number in range(KEPT + 9):
        # What is too large in the middle begins the tail anew.
        log.publish([_message(b"y" * (SMALL + 1) if number == 20 else b"%d" % number)] * 2)
    end = 2 * (KEPT + 9)
    warm = log.reader()
    reads = [warm.read(HERE, at, limit) for at in range(end + 2) for limit in (1, 7, 500)]
    warm.close()
    log.close()
    log = SqliteLog(tmp_path / "log", lambda: 1_000)
    cold = log.reader()
    for at in range(end + 2):
        for limit in (1, 7, 500):
            assert reads.pop(0) == cold.read(HERE, at, limit)
    cold.close()
    log.close()


def test_who_keeps_up_does_not_read_the_file(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", lambda: 1_000)
    for number in range(3 * KEPT):
        log.publish([_message(b"%d" % number)])
    reader = log.reader()
    asked: list[str] = []
    reader._database.set_trace_callback(asked.append)
    assert [record.value for record in reader.read(HERE, 3 * KEPT - 2)[0]] == [b"190", b"191"]
    assert asked == []
    assert len(reader.read(HERE, KEPT)[0]) == 2 * KEPT
    assert asked
    reader.close()
    log.close()
