"""The historian's loop over a real log and a store that fails when told to."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ops.history.errors import HistoryAway, HistoryRefused
from ops.history.writer import Writer
from ops.runtime.historian import TOPICS_KEPT, Historian
from ops.transport.sqlite_log import SqliteLog, no_crash
from schemas.errors import LogAway
from schemas.metrics import metric_batch
from schemas.stage import Message, Partition, Position
from schemas.topics import CODEC, DEAD_LETTERS, DELIVERIES, METRICS
from tests.support.build import T0, envelope, metrics_message, samples


class Store:
    """What the writer needs of history: rows by table, and moods."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.away = False
        self.refuses: float | None = None

    def insert(self, table: str, rows: pa.Table, comment: str = "") -> None:
        if self.away:
            raise HistoryAway("gone")
        found = rows.to_pylist()
        if table == "samples" and any(row["value"] == self.refuses for row in found):
            raise HistoryRefused("cannot parse", 27)
        self.tables.setdefault(table, []).extend(found)

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        if self.away:
            raise HistoryAway("gone")
        if "system.processes" in sql:
            return [(0,)]
        table = sql.split(" FROM ")[1].split(maxsplit=1)[0]
        assert params is not None
        stored = {row["offset"] for row in self.tables.get(table, [])}
        return [(offset,) for offset in sorted(stored) if offset >= params["first"]]

    def values(self) -> list[float]:
        return [row["value"] for row in self.tables.get("samples", [])]


class Bench:
    """A log with numbered samples, and a historian over it."""

    def __init__(self, directory: Path) -> None:
        self.now = T0
        self.seconds = 0.0
        self.log = SqliteLog(directory / "log", lambda: self.now)
        self.store = Store()
        self.counted: dict[str, int] = {}
        self.passes: Callable[[str], None] = no_crash
        self.start()

    def start(self) -> None:
        self.inbox = self.log.inbox("historian", TOPICS_KEPT)
        self.historian = Historian(
            self.inbox,
            self.log,
            Writer(self.store),
            30 * 86_400_000,
            self._pass,
            self.count,
            lambda: self.seconds,
        )

    def _pass(self, point: str) -> None:
        self.passes(point)

    def restart(self) -> None:
        self.inbox.close()
        self.start()

    def count(self, name: str, amount: int) -> None:
        self.counted[name] = self.counted.get(name, 0) + amount

    def publish(self, *values: float) -> None:
        for value in values:
            self.now += 1_000
            self.log.publish([metrics_message(samples("a", {"x": value}, self.now), self.now)])

    def turn(self, after: float = 2.0) -> None:
        self.historian.turn(0.0)
        self.seconds += after
        self.historian.turn(0.0)

    def committed(self) -> int | None:
        reader = self.log.reader()
        found = reader.committed("historian", Partition(METRICS, 0))
        reader.close()
        return found

    def letters(self) -> list[Any]:
        reader = self.log.reader()
        records, _ = reader.read(Partition(DEAD_LETTERS, 0), 0)
        reader.close()
        return [CODEC.decode(record.value).event for record in records]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def close(bench: Bench) -> None:
    bench.inbox.close()
    bench.log.close()


def test_a_block_waits_a_second_then_is_written_and_committed(bench: Bench) -> None:
    bench.publish(1, 2)
    bench.historian.turn(0.0)
    assert bench.store.values() == []
    assert bench.committed() is None
    bench.seconds = 1.0
    bench.historian.turn(0.0)
    assert bench.store.values() == [1, 2]
    assert bench.committed() == 2
    close(bench)


def test_while_history_is_away_nothing_is_lost_and_nothing_is_doubled(bench: Bench) -> None:
    bench.publish(1)
    bench.store.away = True
    for value in (2, 3):
        with pytest.raises(HistoryAway):
            bench.turn()
        bench.publish(value)
    bench.store.away = False
    bench.turn()
    bench.turn()
    assert bench.store.values() == [1, 2, 3]
    close(bench)


def test_rows_that_wait_stay_when_another_partition_goes_to_somebody_else(bench: Bench) -> None:
    bench.publish(1)
    bench.historian.turn(0.0)
    other = bench.log.inbox("historian", [DELIVERIES])
    assert other.assigned() == {Partition(DELIVERIES, 0)}
    bench.turn()
    assert bench.store.values() == [1]
    other.close()
    close(bench)


def test_rows_of_a_partition_that_went_and_came_back_are_written_once(bench: Bench) -> None:
    owned = bench.inbox.assigned()
    bench.publish(1)
    bench.historian.turn(0.0)
    bench.inbox.assign(frozenset())
    bench.turn()
    assert bench.store.values() == []
    bench.inbox.assign(owned)
    bench.turn()
    assert bench.store.values() == [1]
    assert bench.committed() == 1
    close(bench)


def test_what_was_written_and_not_committed_is_found_and_not_written_again(bench: Bench) -> None:
    bench.publish(1, 2)
    bench.inbox.commit = lambda offsets: None  # type: ignore[method-assign]  # the crash
    bench.turn()
    assert bench.committed() is None
    bench.restart()
    bench.publish(3)
    bench.turn()
    assert bench.store.values() == [1, 2, 3]
    assert bench.counted["found:samples"] == 2
    assert bench.committed() == 3
    close(bench)


def test_who_slept_before_a_write_looks_up_what_another_has_written_meanwhile(bench: Bench) -> None:
    bench.publish(1)
    bench.turn()

    def sleep(point: str) -> None:
        if point == "historian.before-insert":
            bench.seconds += 60.0
            stored = bench.store.tables["samples"]
            stored.append({**stored[0], "offset": 1, "value": 2.0})

    bench.publish(2)
    bench.passes = sleep
    bench.turn()
    assert bench.store.values() == [1, 2]
    assert bench.counted["found:samples"] == 1
    close(bench)


def test_the_one_record_that_history_refuses_is_buried_and_the_others_are_kept(
    bench: Bench,
) -> None:
    bench.publish(1, 2, 13, 4, 5)
    bench.store.refuses = 13
    bench.turn()
    assert sorted(bench.store.values()) == [1, 2, 4, 5]
    assert [(letter.stage, letter.offset) for letter in bench.letters()] == [("historian", 2)]
    assert bench.committed() == 5
    close(bench)


def test_when_history_refuses_record_after_record_it_waits_instead_of_burying_all(
    bench: Bench,
) -> None:
    bench.publish(*[13.0] * 60)
    bench.store.refuses = 13
    with pytest.raises(HistoryAway, match="record after record"):
        bench.turn()
    assert len(bench.letters()) < 60
    assert bench.committed() is None
    close(bench)


def test_bad_columns_are_buried_here_and_what_no_stage_can_decode_is_left_to_its_owner(
    bench: Bench,
) -> None:
    bad = metric_batch("a", [(("__name__", "x"),)], [1.0, 2.0], [T0])
    bench.log.publish([Message(METRICS, "a", CODEC.encode(envelope(bad, T0)))])
    bench.log.publish([Message(METRICS, "a", b"garbage")])
    bench.publish(7)
    bench.turn()
    assert [letter.reason for letter in bench.letters()] == ["invalid columns"]
    assert bench.store.values() == [7]
    assert bench.committed() == 3
    close(bench)


def test_while_the_log_takes_no_dead_letter_the_records_around_it_are_kept(bench: Bench) -> None:
    bad = metric_batch("a", [(("__name__", "x"),)], [1.0, 2.0], [T0])
    bench.publish(1)
    bench.log.publish([Message(METRICS, "a", CODEC.encode(envelope(bad, T0)))])
    bench.publish(2, 3)
    publish = bench.log.publish

    def refuse(messages: Sequence[Message], timeout: float = 0.0) -> list[Position]:
        raise LogAway("full")

    bench.log.publish = refuse  # type: ignore[method-assign]  # the log is away for a while
    with pytest.raises(LogAway):
        bench.turn()
    assert bench.committed() is None
    bench.log.publish = publish  # type: ignore[method-assign]
    bench.turn()
    assert bench.store.values() == [1, 2, 3]
    assert [letter.offset for letter in bench.letters()] == [1]
    assert bench.counted["dead:invalid columns"] == 1
    assert bench.committed() == 4
    close(bench)


def test_a_skewed_producers_batch_sent_again_over_a_failed_write_has_its_times(
    bench: Bench,
) -> None:
    def send(value: float, sequence: int, sent_at: int) -> None:
        batch = samples("a", {"x": value}, sent_at)
        bench.log.publish([metrics_message(batch, sent_at, sequence)])

    hour = 3_600_000
    send(1, 1, T0 - hour)
    bench.turn()
    bench.now += 9_000
    send(2, 2, T0 - hour)
    bench.store.away = True
    with pytest.raises(HistoryAway):
        bench.turn()
    send(1, 1, T0 - hour)
    bench.store.away = False
    bench.turn()
    bench.turn()
    rows = bench.store.tables["samples"]
    assert bench.store.values() == [1, 2, 1]
    assert len({row["time"] for row in rows}) == 1
    close(bench)
