"""The log's one writer: it alone writes and checkpoints, and commits requests in groups."""

import logging
import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from ops.transport.keys import encoded, partition_of
from ops.transport.sqlite_retention import closes, outdated, shed
from ops.transport.sqlite_room import Room
from ops.transport.sqlite_segments import Catalogue, Row
from schemas.errors import LogAway, LogFull, TooLarge
from schemas.stage import Message, Partition, Position, StateChange
from schemas.topics import TOPICS

log = logging.getLogger(__name__)

RETAIN_EVERY = 5_000
"""ms between looks at what retention may drop."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large the log may grow, in bytes.

    Inputs are refused within `reserve` of `file`, and while the disk has less than `reserve` left;
    decisions may use the reserve. `retain` bounds the records of input topics, dead letters apart:
    beyond it the oldest segments go. Above `file` less twice the reserve segments of any topic go,
    see `sqlite_retention.shed`: so room is made before anybody has to be refused.
    """

    file: int = 8 << 30
    reserve: int = 256 << 20
    retain: int = 4 << 30
    segment: int = 64 << 20
    group: int = 4 << 20
    waiting: int = 64 << 20


@dataclass(slots=True)
class Request:
    """One caller's wish; `decisions` may use the reserve."""

    messages: Sequence[Message]
    decisions: bool
    size: int
    offsets: Mapping[tuple[str, Partition], int] = field(default_factory=dict)
    changes: Mapping[tuple[str, int], Sequence[StateChange]] = field(default_factory=dict)
    done: Future[list[Position]] = field(default_factory=Future)


@dataclass(slots=True)
class _Run:
    """What a commit appends to a partition."""

    partition: Partition
    end: int
    size: int = 0
    rows: list[Row] = field(default_factory=list)


class Writer:
    """A thread that takes what waits, writes it in one transaction, and answers.

    A lone request is committed at once; those that arrive meanwhile make the next group, up to
    `Limits.group` bytes. So the fsync is shared exactly when there is something to share.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        partitions: Mapping[str, int],
        limits: Limits,
        clock: Callable[[], int],
        crash: Callable[[str], None],
        committed: Callable[[Catalogue, Mapping[Partition, Sequence[Row]]], None],
    ) -> None:
        self._database = database
        self._catalogue = Catalogue(database)
        self._partitions = partitions
        self._limits = limits
        self._clock = clock
        self._crash = crash
        self._committed = committed
        self._waiting: deque[Request] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._retained_at = 0
        self.broken: str | None = None
        self.commits = 0
        self.appended: Counter[str] = Counter()
        """Records since the start, by topic."""
        self.refused = 0
        """Requests for which there was no room."""
        self._room = Room(database, limits.file, limits.reserve)
        # A small file, too, consists of enough segments that dropping some makes room.
        self._segment = min(limits.segment, max(limits.file // 32, 65_536))
        self._last_at = self._catalogue.last_at()
        if self._room.used() > limits.file - 2 * limits.reserve:
            self._make_room()
        committed(self._catalogue, {})
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def submit(self, request: Request, timeout: float) -> list[Position]:
        """Wait for room, then for the commit.

        Raises `LogAway` when it did not happen, and for messages alone also when that is not known.
        """
        with self._changed:
            room = self._changed.wait_for(
                lambda: self._closing or self.broken or self._waiting_bytes < self._limits.waiting,
                timeout,
            )
            if self.broken or self._closing or not room:
                raise LogAway(self.broken or ("closed" if self._closing else "busy: no room"))
            self._waiting.append(request)
            self._waiting_bytes += request.size
            self._changed.notify_all()
        try:
            return request.done.result(timeout)
        except TimeoutError as fault:
            if not request.done.cancel() and request.offsets:
                # It is being written: a stage that went on from what it knew would decide twice.
                return request.done.result()
            raise LogAway(f"no answer within {timeout:g} s") from fault

    def begin(self, request: Request) -> Future[list[Position]] | None:
        """What will be known of it; None when it would have to wait for room. Raises `LogAway`."""
        with self._changed:
            if self.broken or self._closing:
                raise LogAway(self.broken or "closed")
            if self._waiting_bytes >= self._limits.waiting:
                return None
            self._waiting.append(request)
            self._waiting_bytes += request.size
            self._changed.notify_all()
        return request.done

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def last_at(self) -> int:
        """The newest append time, in ms."""
        return self._last_at

    def _run(self) -> None:
        while (group := self._next_group()) or not self._closing:
            size = sum(request.size for request in group)
            try:
                self._settle(group)
            except BaseException as fault:
                # Whatever it is: a writer that is gone without a word would stop everybody.
                self._break(group, fault)
            with self._changed:
                self._waiting_bytes -= size
                self._changed.notify_all()

    def _next_group(self) -> list[Request]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            group: list[Request] = []
            size = 0
            while self._waiting and size < self._limits.group:
                request = self._waiting.popleft()
                if request.done.set_running_or_notify_cancel():
                    group.append(request)
                    size += request.size
                else:
                    self._waiting_bytes -= request.size
            return group

    def _settle(self, group: list[Request], again: bool = True) -> None:
        """Commit a group; where inputs have no room, the decisions in it still get theirs."""
        try:
            if self.broken:
                raise LogAway(self.broken)
            inputs = [request for request in group if not request.decisions and request.messages]
            if inputs and not self._room.admits(sum(request.size for request in inputs)):
                group = self._refuse(group, inputs)
            self._commit(group)
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_FULL:
                self._break(group, fault)
                return
            if again and self._make_room():
                self._settle(group, again=False)
                return
            rest = [request for request in group if request.decisions]
            if rest and len(rest) < len(group):
                self._refuse(group, [request for request in group if not request.decisions])
                self._settle(rest)
                return
            self._refuse(group, group)
        except LogAway as fault:
            for request in group:
                request.done.set_exception(fault)

    def _refuse(self, group: list[Request], refused: list[Request]) -> list[Request]:
        self.refused += len(refused)
        for request in refused:
            request.done.set_exception(
                LogFull("the log is full: its reserve is kept for decisions; free space on disk")
            )
        return [request for request in group if not any(request is r for r in refused)]

    def fail(self, why: str) -> None:
        """Take nothing more; what waits is answered at once."""
        with self._changed:
            first, self.broken = self.broken is None, self.broken or why
            self._changed.notify_all()
        if first:
            log.error("log failed", extra={"error": why})

    def _break(self, group: list[Request], fault: BaseException) -> None:
        """After an I/O error nothing that was written counts as durable: stop, do not retry."""
        self.fail(f"the log failed and takes nothing more: {fault or repr(fault)}")
        for request in group:
            if not request.done.done():
                request.done.set_exception(LogAway(self.broken))

    def _commit(self, group: list[Request]) -> None:
        now = max(self._clock(), self._last_at)
        if not group and now - self._retained_at < RETAIN_EVERY:
            return
        self._crash("log.before-commit")
        try:
            self._database.execute("BEGIN IMMEDIATE")
            answers, runs = self._append(group, now)
            self._remember(group)
            self._retain(now)
            self._catalogue.flush()
            self._database.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._last_at = now
        for request in group:
            rows = len(request.messages) + sum(map(len, request.changes.values()))
            self._room.took(request.size, rows + len(request.offsets))
        self.commits += 1
        for run in runs:
            self.appended[run.partition.topic] += len(run.rows)
        self._crash("log.after-commit")
        self._committed(self._catalogue, {run.partition: run.rows for run in runs})
        for request, positions in zip(group, answers, strict=True):
            request.done.set_result(positions)

    def _append(self, group: list[Request], now: int) -> tuple[list[list[Position]], list[_Run]]:
        # By a plain tuple: the hash of a `Partition` is worked out in Python, for every message.
        runs: dict[tuple[str, int], _Run] = {}
        answers: list[list[Position]] = []
        for request in group:
            positions = []
            for message in request.messages:
                number = message.partition
                if number is None:
                    number = partition_of(message.key, self._partitions[message.topic])
                run = runs.get((message.topic, number))
                if run is None:
                    partition = Partition(message.topic, number)
                    run = runs[message.topic, number] = _Run(
                        partition, self._catalogue.end(partition)
                    )
                offset = run.end
                run.end += 1
                run.size += len(message.value) + len(message.key) + 16
                run.rows.append((offset, now, message.key, message.value))
                positions.append(Position(run.partition, offset, now))
            answers.append(positions)
        for run in runs.values():
            held = self._catalogue.segments.get(run.partition)
            roll = bool(held and closes(held[-1], now, self._segment))
            self._catalogue.append(run.partition, run.rows, run.size, roll)
        return answers, list(runs.values())

    def _remember(self, group: list[Request]) -> None:
        offsets: dict[tuple[str, Partition], int] = {}
        for request in group:
            offsets.update(request.offsets)
            for (stage, number), changes in request.changes.items():
                self._change(stage, number, changes)
        if offsets:
            self._database.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET next = excluded.next",
                [(g, p.topic, p.number, offset) for (g, p), offset in offsets.items()],
            )

    def _change(self, stage: str, number: int, changes: Sequence[StateChange]) -> None:
        """Of several changes under one key the last one counts."""
        newest = {change.key: change.value for change in changes}
        self._database.executemany(
            "INSERT INTO state VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET value = excluded.value",
            [(stage, number, key, value) for key, value in newest.items() if value is not None],
        )
        self._database.executemany(
            "DELETE FROM state WHERE stage = ? AND partition = ? AND key = ?",
            [(stage, number, key) for key, value in newest.items() if value is None],
        )

    def _retain(self, now: int, full: bool = False) -> bool:
        """Drop what may go; the more, the fuller the file is. Whether anything went."""
        if now - self._retained_at < RETAIN_EVERY and not full:
            return False
        self._retained_at = now
        segments = self._catalogue.segments
        gone = outdated(segments, now, self._limits.retain)
        self._catalogue.drop(gone)
        most = self._limits.file - 2 * self._limits.reserve
        excess = self._room.used() - most
        if full:
            excess = max(excess, self._segment)
        if excess > 0:
            gone += (more := shed(segments, excess, self._read_by_all()))
            self._catalogue.drop(more)
        return bool(gone)

    def _read_by_all(self) -> dict[Partition, int]:
        """How far every group of a partition has come."""
        return {
            Partition(topic, number): offset
            for topic, number, offset in self._database.execute(
                "SELECT topic, partition, min(next) FROM offsets GROUP BY topic, partition"
            )
        }

    def _make_room(self) -> bool:
        """What a full file can do for itself, in a transaction of its own."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            went = self._retain(max(self._clock(), self._last_at), full=True)
            self._catalogue.flush()
            self._database.execute("COMMIT")
        except sqlite3.Error as fault:
            self._roll_back()
            if fault.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            return False
        self._committed(self._catalogue, {})
        return went

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        self._catalogue.load()


def measured(messages: Iterable[Message], partitions: Mapping[str, int]) -> int:
    """The bytes of these messages.

    Raises `TooLarge` for one above its topic's limit, `Refused` for a key that is no UTF-8 text,
    and `LogAway` for a topic that is not there.
    """
    total = 0
    for message in messages:
        if message.topic not in partitions:
            raise LogAway(f"no topic {message.topic!r}")
        size = len(message.value) + len(encoded(message.key))
        if size > TOPICS[message.topic].max_message:
            raise TooLarge(
                f"a message of {size} bytes for {message.topic}: the limit is "
                f"{TOPICS[message.topic].max_message}; split it"
            )
        total += size
    return total
