"""Segments: each is a table, so that dropping old records is cheap, and all live in one file."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.stage import Partition

_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    base INTEGER NOT NULL,
    end INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS offsets (
    member_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (member_group, topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (
    stage TEXT NOT NULL,
    partition INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (stage, partition, key)
) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Segment:
    """Records [`base`, `end`) of a partition, in table `segment_ID`; times in ms."""

    id: int
    partition: Partition
    base: int
    end: int
    first_at: int
    last_at: int
    bytes: int

    @property
    def table(self) -> str:
        """The table's name; the id is a number of ours, never a caller's text."""
        return f"segment_{int(self.id)}"


Row = tuple[int, int, str, bytes]
"""offset, appended_at, key, value"""


class Catalogue:
    """Every segment of the file. Its methods run inside the writer's transaction.

    After a rolled back transaction the catalogue is stale: `load` it again.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_SCHEMA)
        self.segments: dict[Partition, list[Segment]] = {}
        self.changed: set[Partition] = set()
        """Whose segments are not what they were; who shows them to others clears it."""
        self._next_id = 1
        self._dirty: dict[int, Segment] = {}
        self.load()

    def load(self) -> None:
        """Read what is committed."""
        self.segments.clear()
        self._dirty.clear()
        for row in self._database.execute(
            "SELECT id, topic, partition, base, end, first_at, last_at, bytes FROM segments "
            "ORDER BY topic, partition, base"
        ):
            segment = Segment(row[0], Partition(row[1], row[2]), *row[3:])
            self.segments.setdefault(segment.partition, []).append(segment)
            self._next_id = max(self._next_id, segment.id + 1)
        self.changed.update(self.segments)

    def end(self, partition: Partition) -> int:
        """The offset that the next record gets."""
        segments = self.segments.get(partition)
        return segments[-1].end if segments else 0

    def last_at(self) -> int:
        """The newest append time of all; 0 in an empty log."""
        return max((s[-1].last_at for s in self.segments.values() if s), default=0)

    def append(self, partition: Partition, rows: Sequence[Row], size: int, roll: bool) -> None:
        """Write rows at the partition's end, into a fresh segment if `roll`."""
        segment = self._open(partition, rows[0][1], roll)
        self._database.executemany(
            f"INSERT INTO {segment.table} (offset, appended_at, key, value) VALUES (?, ?, ?, ?)",
            rows,
        )
        segment.end = rows[-1][0] + 1
        segment.last_at = rows[-1][1]
        segment.bytes += size
        self._dirty[segment.id] = segment
        self.changed.add(partition)

    def flush(self) -> None:
        """Write the changed segments' figures; before the commit."""
        self._database.executemany(
            "UPDATE segments SET end = ?, last_at = ?, bytes = ? WHERE id = ?",
            [(s.end, s.last_at, s.bytes, s.id) for s in self._dirty.values()],
        )
        self._dirty.clear()

    def drop(self, segments: Iterable[Segment]) -> None:
        """Forget whole segments, the oldest of their partitions."""
        for segment in list(segments):
            self._database.execute(f"DROP TABLE {segment.table}")
            self._database.execute("DELETE FROM segments WHERE id = ?", (segment.id,))
            self.segments[segment.partition].remove(segment)
            self.changed.add(segment.partition)

    def _open(self, partition: Partition, at: int, roll: bool) -> Segment:
        segments = self.segments.setdefault(partition, [])
        if segments and not roll:
            return segments[-1]
        base = self.end(partition)
        segment = Segment(self._next_id, partition, base, base, at, at, 0)
        self._next_id += 1
        self._database.execute(
            f"CREATE TABLE {segment.table} (offset INTEGER PRIMARY KEY, appended_at INTEGER "
            "NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL)"
        )
        self._database.execute(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (segment.id, partition.topic, partition.number, base, base, at, at, 0),
        )
        segments.append(segment)
        return segment
