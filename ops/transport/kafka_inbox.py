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
_SIZE = 8 << 20
"""Bytes, about, that one poll answers with."""


class KafkaInbox:
    """A member of a group; see `schemas.stage.Inbox`. One thread at a time, but for `assigned`.

    Membership goes on in `poll` and in `assigned`, never in between: what a member was given to
    do is not taken from it while it looks away. What was lost and came back within one poll is
    not there before the caller could see that it was lost, since it goes on where the group
    committed. Raises `LogAway` where the broker does not answer within `PATIENCE`.
    """

    def __init__(self, clients: Clients, group: str, topics: Sequence[str]) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._closed = False
        self._gaps: list[Gap] = []
        self._next: dict[TopicPartition, int] = {}
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
                if self._closed:
                    raise LogAway("closed")
                left = 0.0 if raw else min(max(0.0, ends - time.monotonic()), _STEP)
                try:
                    self._membership.keep()
                    found = self._step(left, limit - len(raw))
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
            if not self._closed:
                self._membership.keep()
            owned = self._owned()
            self._membership.welcome()
            return owned
        finally:
            self._lock.release()

    def member(self) -> Any:
        """This membership, as transactions want it along with offsets."""
        return self._consumer.group_metadata()

    def close(self) -> None:
        """Leave the group without committing; within seconds, also where no broker answers."""
        self._closed = True
        with self._lock:
            self._membership.close()

    def _owned(self) -> frozenset[Partition]:
        return frozenset(self._plain(where) for where in self._membership.owned)

    def _step(self, timeout: float, limit: int) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = {}
        with said(self._clients.settings):
            try:
                found = polled(self._consumer, timeout, limit)
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
                self._consumer.seek(skipped.where, skipped.resumed)
        for where, run in found.items():
            self._next[where] = run[-1].offset + 1
            self._membership.heard = time.monotonic()
        return found

    def _begin(self, where: TopicPartition) -> None:
        """The group never committed here, or the topic was deleted meanwhile."""
        begin, end = self._bounds(where)
        if self._next.get(where, 0) > end:
            self._anew(where, self._next[where])
        else:
            self._consumer.seek(where, begin)

    def _resume(self, where: TopicPartition, offset: int) -> None:
        begin, end = self._bounds(where)
        if offset < begin:
            self._gaps.append(Gap(self._plain(where), offset, begin))
            self._consumer.seek(where, begin)
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
        self._consumer.seek(where, begin)

    def _bounds(self, where: TopicPartition) -> tuple[int, int]:
        begin = self._consumer.beginning_offsets([where], timeout_ms=_MS)[where]
        end = self._consumer.end_offsets([where], timeout_ms=_MS)[where]
        return int(begin), int(end)

    def _plain(self, where: TopicPartition) -> Partition:
        return Partition(self._clients.plain(where.topic), where.partition)
