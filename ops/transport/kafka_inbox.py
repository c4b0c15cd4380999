"""Consumer groups on Kafka: each partition has one owner, who keeps it while others come and go."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import TopicPartition
from kafka import errors as kafka_errors
from kafka.structs import OffsetAndMetadata

from ops.transport.kafka_batches import Skipped, polled
from ops.transport.kafka_clients import PATIENCE, Clients, said
from ops.transport.kafka_member import Membership
from ops.transport.kafka_reader import record_of
from schemas.errors import LogAway
from schemas.stage import Gap, Partition, Record

log = logging.getLogger(__name__)

_MS = int(PATIENCE * 1000)
_STEP = 0.5
"""Seconds until a poll looks whether it was closed."""
_QUIET = 2.0
"""Seconds without a word from the broker, after which polls make pauses."""
_PAUSE = 0.05
"""Seconds. kafka-python's poll does not wait while its broker is away: it takes a processor."""
LEASE = 0.75
"""Of a session; in the rest of it what was begun ends before another member may begin."""
_SIZE = 8 << 20
"""Bytes, about, that one poll answers with."""


class KafkaInbox:
    """A member of a group; see `schemas.stage.Inbox`. One thread at a time, but for `assigned`
    and `lag`.

    Membership goes on in `poll` and in `assigned`, never in between: what a member was given to
    do is not taken from it while it looks away. What was lost and came back within one poll is
    not there before the caller could see that it was lost, since it goes on where the group
    committed. Raises `LogAway` where the broker does not answer within `PATIENCE`.
    """

    def __init__(self, clients: Clients, group: str, topics: Sequence[str]) -> None:
        self._clients = clients
        self._session = clients.settings.session_timeout.total_seconds()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._gaps: list[Gap] = []
        self._next: dict[TopicPartition, int] = {}
        self._unsure: set[TopicPartition] = set()
        """Where a poll failed that had only just found out where to begin."""
        self._membership = Membership(clients, group, topics)
        self._consumer = self._membership.consumer
        self._membership.keep()

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        """The next committed records; empty after `timeout` seconds, or when partitions went."""
        ends = time.monotonic() + timeout
        with self._lock:
            self._membership.welcome()
            raw: list[tuple[TopicPartition, Any]] = []
            size = 0
            while not self._membership.dropped:
                if self._closed.is_set():
                    raise LogAway("closed")
                left = 0.0 if raw else min(max(0.0, ends - time.monotonic()), _STEP)
                try:
                    self._membership.keep()
                    found = self._step(self._patience(left), limit - len(raw))
                except LogAway:
                    if raw:
                        break  # what was taken is not given twice; the next poll says what it is
                    raise
                raw += ((where, each) for where, run in found.items() for each in run)
                size += sum(len(each.value or b"") for run in found.values() for each in run)
                if len(raw) >= limit or size >= _SIZE or (raw and not found):
                    break
                if not raw:
                    self._membership.listen()
                    if time.monotonic() >= ends:
                        break
                    if self._membership.silence > _QUIET:
                        self._closed.wait(_PAUSE)
            return [
                record_of(self._plain(where), each)
                for where, each in raw
                if where in self._membership.owned
            ]

    def gaps(self) -> list[Gap]:
        """What was lost to retention since the last call, or could not be read by anybody.

        `resumed` is before `first` where a topic was made anew and is read from its begin.
        """
        found, self._gaps = self._gaps, []
        return found

    def lag(self) -> dict[Partition, int]:
        """How many records are still to come of what is owned, as far as the broker has told.

        Asks nobody, so any thread may call it. Marks of transactions count until they are passed.
        """
        found: dict[Partition, int] = {}
        for where in self._membership.owned:
            known = self._known(where)
            if known is not None:
                position, end = known
                found[self._plain(where)] = max(0, end - position)
        return found

    def ends(self) -> dict[Partition, int]:
        """The offset after the newest record, of those partitions of which more is to come."""
        return {
            self._plain(where): known[1]
            for where in self._membership.owned
            if (known := self._known(where)) is not None and known[0] < known[1]
        }

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Let the group go on here; partitions that another member has meanwhile stay its own.

        Raises `LogAway` also while the group deals its partitions out anew.
        """
        with self._lock:
            named = {
                TopicPartition(self._clients.named(p.topic), p.number): OffsetAndMetadata(
                    at, "", -1
                )
                for p, at in offsets.items()
            }
            mine = {where: at for where, at in named.items() if where in self._membership.owned}
            if mine:
                with said(self._clients.settings):
                    self._consumer.commit(mine, timeout_ms=_MS)
                self._membership.heard = time.monotonic()

    def assigned(self) -> frozenset[Partition]:
        """What this member owns now."""
        if not self._lock.acquire(blocking=False):
            return self._owned()
        try:
            if not self._closed.is_set():
                self._membership.keep()
            owned = self._owned()
            self._membership.welcome()
            return owned
        finally:
            self._lock.release()

    def sure(self) -> bool:
        """Whether the group was heard of so lately that it cannot have dealt ours out."""
        return self._membership.silence_of_group < LEASE * self._session

    def member(self) -> Any:
        """This membership, as transactions want it along with offsets."""
        return self._consumer.group_metadata()

    def close(self) -> None:
        """Leave the group without committing; within seconds, also where no broker answers."""
        self._closed.set()
        with self._lock:
            self._membership.close()

    def _owned(self) -> frozenset[Partition]:
        return frozenset(self._plain(where) for where in self._membership.owned)

    def _known(self, where: TopicPartition) -> tuple[int, int] | None:
        """Where the next poll goes on, and the end; None before the first answer."""
        state = self._consumer._subscription.assignment.get(where)
        if state is None or state.position is None or state.highwater is None:
            return None
        return int(state.position.offset), int(state.highwater)

    def _patience(self, left: float) -> float:
        return 0.0 if self._membership.silence > _QUIET else left

    def _step(self, timeout: float, limit: int) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = {}
        with said(self._clients.settings):
            before = self._positions()
            try:
                found = self._polled(timeout, limit, before)
            except kafka_errors.NoOffsetForPartitionError as fault:
                for where in fault.args[0]:
                    self._begin(where)
            except kafka_errors.OffsetOutOfRangeError as fault:
                for where, offset in fault.args[0].items():
                    self._resume(where, offset)
            except kafka_errors.LogTruncationError as fault:
                for where in fault.divergent_offsets:
                    self._anew(where, self._next.get(where, 0))
            except Skipped as skipped:
                log.error("records that cannot be read were skipped", extra={"why": str(skipped)})
                self._gaps.append(Gap(self._plain(skipped.where), skipped.first, skipped.resumed))
                self._go(skipped.where, skipped.resumed)
        for where, run in found.items():
            self._next[where] = run[-1].offset + 1
            self._membership.heard = time.monotonic()
        return found

    def _polled(
        self, timeout: float, limit: int, before: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, list[Any]]:
        """What `polled` gives; where it raises, nothing counts as given.

        kafka-python takes records out of its buffer and then asks for more: if that fails, as it
        does when a broker goes, what it had taken is lost, and its positions are behind it.
        """
        while self._unsure:
            where = self._unsure.pop()
            if where in self._positions():
                at = self._consumer.committed(where, timeout_ms=_MS)
                self._consumer.seek(where, self._bounds(where)[0] if at is None else at)
        try:
            return polled(self._consumer, timeout, limit)
        except BaseException:
            for where, at in self._positions().items():
                if where not in before:
                    self._unsure.add(where)
                elif at > before[where]:
                    self._consumer.seek(where, before[where])
            raise

    def _go(self, where: TopicPartition, offset: int) -> None:
        self._unsure.discard(where)
        self._consumer.seek(where, offset)

    def _positions(self) -> dict[TopicPartition, int]:
        assignment = self._consumer._subscription.assignment
        return {
            where: state.position.offset
            for where, state in dict(assignment).items()
            if state.position is not None
        }

    def _begin(self, where: TopicPartition) -> None:
        """The group never committed here, or the topic was deleted meanwhile."""
        begin, end = self._bounds(where)
        if self._next.get(where, 0) > end:
            self._anew(where, self._next[where])
        else:
            self._go(where, begin)

    def _resume(self, where: TopicPartition, offset: int) -> None:
        begin, end = self._bounds(where)
        if offset < begin:
            log.error(
                "records lost to retention",
                extra={
                    "topic": where.topic,
                    "partition": where.partition,
                    "first": offset,
                    "resumed": begin,
                },
            )
            self._gaps.append(Gap(self._plain(where), offset, begin))
            self._go(where, begin)
        elif offset > end:
            self._anew(where, offset)
        # Else a leader that has yet to learn of the offset: ask again.

    def _anew(self, where: TopicPartition, offset: int) -> None:
        begin, _ = self._bounds(where)
        log.error(
            "offsets went back: the topic was made anew, reading it from its begin",
            extra={"topic": where.topic, "partition": where.partition, "next": offset},
        )
        self._gaps.append(Gap(self._plain(where), offset, begin))
        self._next[where] = begin
        self._go(where, begin)

    def _bounds(self, where: TopicPartition) -> tuple[int, int]:
        begin = self._consumer.beginning_offsets([where], timeout_ms=_MS)[where]
        end = self._consumer.end_offsets([where], timeout_ms=_MS)[where]
        return int(begin), int(end)

    def _plain(self, where: TopicPartition) -> Partition:
        return Partition(self._clients.plain(where.topic), where.partition)
