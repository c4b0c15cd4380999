"""What is in the embedded log's file, read beside the process that writes it."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from schemas.envelope import Envelope
from schemas.event import Event
from schemas.stage import Partition, Record
from schemas.topics import CODEC

E = TypeVar("E", bound=Event)


class LogFile:
    """Committed records of a data directory's log; opened anew for each question."""

    def __init__(self, data: Path) -> None:
        self._path = data / "log.sqlite"

    def records(self, topic: str) -> list[Record]:
        """Everything that is kept of a topic."""
        with closing(self._open()) as database:
            database.execute("BEGIN")
            segments = database.execute(
                "SELECT id, partition FROM segments WHERE topic = ? ORDER BY partition, base",
                (topic,),
            ).fetchall()
            return [
                Record(Partition(topic, number), *row)
                for segment, number in segments
                for row in database.execute(
                    f"SELECT offset, appended_at, key, value FROM segment_{int(segment)} "
                    "ORDER BY offset"
                )
            ]

    def envelopes(self, topic: str) -> Iterator[tuple[Record, Envelope]]:
        """The topic's events; raises Undecodable at a record that holds none."""
        for record in self.records(topic):
            yield record, CODEC.decode(record.value)

    def events(self, topic: str, kind: type[E]) -> list[E]:
        """The topic's events of one kind."""
        found = (envelope.event for _, envelope in self.envelopes(topic))
        return [event for event in found if isinstance(event, kind)]

    def ends(self) -> Mapping[tuple[str, int], int]:
        """The offset after the last record, by topic and partition."""
        with closing(self._open()) as database:
            rows = database.execute(
                "SELECT topic, partition, MAX(end) FROM segments GROUP BY topic, partition"
            )
            return {(topic, number): end for topic, number, end in rows}

    def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """Where a group goes on, by topic and partition."""
        with closing(self._open()) as database:
            rows = database.execute(
                "SELECT topic, partition, next FROM offsets WHERE member_group = ?", (group,)
            )
            return {(topic, number): next_ for topic, number, next_ in rows}

    def sound(self) -> bool:
        """Whether SQLite finds nothing wrong in the file."""
        with closing(self._open()) as database:
            return bool(database.execute("PRAGMA integrity_check").fetchone()[0] == "ok")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)
