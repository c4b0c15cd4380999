"""Reading the log: committed records only, each reader on its own connection."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ops.transport.sqlite_segments import Row
from ops.transport.sqlite_tail import found
from schemas.errors import LogAway
from schemas.stage import Gap, Partition, Record

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Span(NamedTuple):
    """A committed segment: records [`base`, `end`) in `table`; the last one's time in ms."""

    base: int
    end: int
    last_at: int
    table: str


def connect(path: Path) -> sqlite3.Connection:
    """A connection that can only read; it never checkpoints, which is the writer's alone."""
    database = sqlite3.connect(
        f"file:{path}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
    )
    database.execute("PRAGMA query_only = ON")
    return database


class Reader:
    """Reads any partition; one thread at a time uses it.

    Where the file is damaged, reading raises `LogAway`, and `damaged` is told why: what follows
    from records that cannot be read must not be decided without them.
    """

    def __init__(
        self,
        path: Path,
        spans: Callable[[Partition], tuple[Span, ...]],
        damaged: Callable[[str], None],
        tail: Callable[[Partition], tuple[Row, ...]] = lambda _: (),
    ) -> None:
        self._tail = tail
        self._database = connect(path)
        self._path = path
        self.anew = False
        self._spans = spans
        self._damaged = damaged
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._database.close()

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still kept."""
        spans = self._spans(partition)
        return spans[0].base if spans else 0

    def end(self, partition: Partition) -> int:
        """The offset after the newest committed record."""
        spans = self._spans(partition)
        return spans[-1].end if spans else 0

    def read(
        self, partition: Partition, offset: int, limit: int = 500, size: int = 8 << 20
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, at most `limit` and about `size` bytes.

        Answers with the gap too when retention took `offset`; the records then begin behind it.
        """
        gap = None
        begin = self.begin(partition)
        if offset < begin:
            gap = Gap(partition, offset, begin)
            offset = begin
        if newest := found(self._tail(partition), offset, limit):
            return [Record(partition, *row) for row in newest], gap
        records: list[Record] = []
        for span in self._spans(partition):
            if span.end <= offset:
                continue
            try:
                size -= self._collect(partition, span, offset, limit - len(records), size, records)
            except sqlite3.OperationalError:
                if any(span.table == kept.table for kept in self._spans(partition)):
                    raise
                if records:
                    break  # retention dropped the table while we read: the next read sees the gap
                return self.read(partition, offset, limit, size)
            if records:
                offset = records[-1].offset + 1
            if len(records) >= limit or size <= 0:
                break
        return records, gap

    def caught_up(self, partition: Partition, offset: int) -> bool:
        """Whether nothing is committed from this offset on."""
        return offset >= self.end(partition)

    def offset_at(self, partition: Partition, at: int) -> int:
        """The first offset whose record was appended at `at` (ms) or later."""
        for span in self._spans(partition):
            if span.last_at < at:
                continue
            low, high = span.base, span.end
            while low < high:
                middle = (low + high) // 2
                with self._reading():
                    row = self._database.execute(
                        f"SELECT appended_at FROM {span.table} WHERE offset = ?", (middle,)
                    ).fetchone()
                low, high = (low, middle) if row and row[0] >= at else (middle + 1, high)
            return low
        return self.end(partition)

    def committed(self, group: str, partition: Partition) -> int | None:
        """Where a group goes on, if it ever committed."""
        with self._reading():
            row = self._database.execute(
                "SELECT next FROM offsets WHERE member_group = ? AND topic = ? AND partition = ?",
                (group, partition.topic, partition.number),
            ).fetchone()
        return None if row is None else int(row[0])

    def state(self, stage: str, partition: int, prefix: str = "") -> list[tuple[str, bytes]]:
        """A stage's committed state, by key."""
        with self._reading():
            return self._database.execute(
                "SELECT key, value FROM state WHERE stage = ? AND partition = ? AND key >= ? "
                "AND key < ? ORDER BY key",
                (stage, partition, prefix, prefix + "\U0010ffff"),
            ).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.DatabaseError as fault:
            # The lowest byte is the kind of error, what is above it a finer distinction.
            if getattr(fault, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
                raise
            why = (
                f"{self._path}: damaged: {fault}: restore it from a backup, or move it away to "
                "start with an empty log"
            )
            self._damaged(why)
            raise LogAway(why) from fault

    def _collect(
        self,
        partition: Partition,
        span: Span,
        offset: int,
        limit: int,
        size: int,
        into: list[Record],
    ) -> int:
        taken = 0
        with self._reading():
            cursor = self._database.execute(
                f"SELECT offset, appended_at, key, value FROM {span.table} "
                "WHERE offset >= ? AND offset < ? ORDER BY offset LIMIT ?",
                (offset, span.end, limit),
            )
            try:
                for row in cursor:
                    into.append(Record(partition, row[0], row[1], row[2], row[3]))
                    taken += len(row[3])
                    if taken >= size:
                        break
            finally:
                cursor.close()
        return taken
