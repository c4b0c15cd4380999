"""The embedded log: topics, partitions and consumer groups in one SQLite file."""

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from ops.transport.keys import encoded
from ops.transport.sqlite_inbox import Membership, SqliteInbox
from ops.transport.sqlite_reader import Reader, Span
from ops.transport.sqlite_segments import Catalogue, Row
from ops.transport.sqlite_tail import extended
from ops.transport.sqlite_writer import Limits, Request, Writer, measured
from ops.transport.stage_log import StageCommit
from schemas.errors import DataDirectoryError
from schemas.stage import Message, Partition, Position
from schemas.topics import DEAD_LETTERS, TOPICS

_FORMAT = 1


def no_crash(point: str) -> None:
    """Where tests kill the process; nothing happens in a healthy one."""


class SqliteLog:
    """An append-only log, exactly once inside: outputs, state and offsets commit together.

    `clock` gives ms since 1970; append times never go back. Raises `DataDirectoryError` when the
    file is damaged or of a newer version.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], int],
        partitions: Mapping[str, int] | None = None,
        limits: Limits | None = None,
        crash: Callable[[str], None] = no_crash,
    ) -> None:
        self.path = path
        self.clock = clock
        given = partitions or {}
        self.partitions = {name: given.get(name, 1) for name in TOPICS}
        self._spans: dict[Partition, tuple[Span, ...]] = {}
        self._tails: dict[Partition, tuple[Row, ...]] = {}
        self._listeners: dict[str, list[threading.Event]] = {}
        self._listening = threading.Lock()
        self._members: dict[str, Membership] = {}
        try:
            self._database = _open(path)
            self._writer = Writer(
                self._database, self.partitions, limits or Limits(), clock, crash, self._publish
            )
        except sqlite3.Error as fault:
            raise DataDirectoryError(
                f"{path}: cannot be used as a log: {fault}: restore it from a backup, or move it "
                "away to start with an empty log"
            ) from fault

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        """Append; see `schemas.stage.Publish`."""
        return self._writer.submit(self._request(messages), timeout)

    def begin(self, messages: Sequence[Message]) -> Future[list[Position]] | None:
        """As `publish`, for who waits otherwise; None when there is no room just now."""
        return self._writer.begin(self._request(messages))

    def _request(self, messages: Sequence[Message]) -> Request:
        size = measured(messages, self.partitions)
        # A receipt must not wait because a dead letter goes with it; letters alone are inputs.
        topics = {message.topic for message in messages}
        decisions = topics != {DEAD_LETTERS} and all(
            TOPICS[topic].decisions for topic in topics - {DEAD_LETTERS}
        )
        return Request(messages, decisions, size)

    def claim(self, stage: str, partition: Partition) -> None:
        """Nothing to do: one process alone has the file, and one driver a partition."""

    def commit_stage(self, commit: StageCommit) -> list[Position]:
        """Append a stage's outputs, write its state and move its offset, all or nothing.

        After `LogAway` nothing of it is there, nor will be.
        """
        changed = sum(
            len(change.value or b"") + len(encoded(change.key)) for change in commit.changes
        )
        request = Request(
            commit.outputs,
            True,
            measured(commit.outputs, self.partitions) + changed,
            {(commit.stage, commit.partition): commit.next},
            {(commit.stage, commit.partition.number): commit.changes},
        )
        return self._writer.submit(request, 30.0)

    def commit_offsets(self, group: str, offsets: Mapping[Partition, int]) -> None:
        """Let a group go on from here."""
        self.settle((), group, offsets)

    def settle(
        self, messages: Sequence[Message], group: str, offsets: Mapping[Partition, int]
    ) -> None:
        """Append, and let a group go on from here, both or neither."""
        request = self._request(messages)
        request.offsets = {(group, partition): offset for partition, offset in offsets.items()}
        self._writer.submit(request, 30.0)

    def reader(self) -> Reader:
        """A reader of its own connection; the caller closes it."""
        return Reader(
            self.path,
            lambda partition: self._spans.get(partition, ()),
            self._writer.fail,
            lambda partition: self._tails.get(partition, ()),
        )

    def inbox(self, group: str, topics: Sequence[str]) -> SqliteInbox:
        """Join a consumer group."""
        with self._listening:
            membership = self._members.setdefault(group, Membership())
        parts = [Partition(topic, n) for topic in topics for n in range(self.partitions[topic])]
        return SqliteInbox(self, group, membership, parts)

    def listen(self, topics: Sequence[str]) -> threading.Event:
        """An event that is set whenever one of these topics grows."""
        event = threading.Event()
        with self._listening:
            for topic in topics:
                self._listeners.setdefault(topic, []).append(event)
        return event

    def unlisten(self, event: threading.Event) -> None:
        """Set that event no more."""
        with self._listening:
            for events in self._listeners.values():
                if event in events:
                    events.remove(event)

    @property
    def broken(self) -> str | None:
        """Why the log takes nothing more, once it does not."""
        return self._writer.broken

    @property
    def last_at(self) -> int:
        """The newest append time, in ms; 0 in an empty log."""
        return self._writer.last_at

    @property
    def commits(self) -> int:
        """How many transactions were committed since it was opened."""
        return self._writer.commits

    @property
    def appended(self) -> Mapping[str, int]:
        """How many records were appended since it was opened, by topic."""
        return dict(self._writer.appended)

    @property
    def refused(self) -> int:
        """How many appends were refused since it was opened, for want of room."""
        return self._writer.refused

    def size(self) -> int:
        """Bytes of the file and of its write-ahead log."""
        wal = self.path.with_name(self.path.name + "-wal")
        return sum(file.stat().st_size for file in (self.path, wal) if file.exists())

    def close(self) -> None:
        """Commit what waits and let go of the file."""
        self._writer.close()
        self._database.close()

    def _publish(self, catalogue: Catalogue, grown: Mapping[Partition, Sequence[Row]]) -> None:
        """Show readers what is committed; called by the writer after each commit."""
        for partition, rows in grown.items():
            self._tails[partition] = extended(self._tails.get(partition, ()), rows)
        for partition in catalogue.changed:
            self._spans[partition] = tuple(
                Span(s.base, s.end, s.last_at, s.table)
                for s in catalogue.segments.get(partition, ())
            )
        catalogue.changed.clear()
        with self._listening:
            for partition in grown:
                for event in self._listeners.get(partition.topic, ()):
                    event.set()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    if database.execute("PRAGMA page_count").fetchone()[0] <= 1:
        database.execute("PRAGMA page_size = 8192")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA secure_delete = OFF")
    database.execute("PRAGMA journal_size_limit = 67108864")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > _FORMAT:
        database.close()
        raise DataDirectoryError(
            f"{path}: written by a newer Tocsin (log format {version}, this one reads "
            f"{_FORMAT}): upgrade Tocsin"
        )
    if version < _FORMAT:
        # Only then: a full disk would not take even this, and a log must open to make room.
        database.execute(f"PRAGMA user_version = {_FORMAT}")
    return database
