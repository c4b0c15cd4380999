"""Reading any partition on Kafka at any offset: committed records only."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka import errors as kafka_errors

from ops.transport.kafka_batches import Skipped, polled
from ops.transport.kafka_clients import PATIENCE, Clients, said
from schemas.errors import LogAway
from schemas.stage import Gap, Partition, Record

log = logging.getLogger(__name__)

_MS = int(PATIENCE * 1000)


class KafkaReader:
    """What of `ops.transport.stage_log.StageReader` concerns records; one thread at a time.

    Raises `LogAway` when the broker does not answer within `PATIENCE`, also where a topic is
    missing. Connects when it is first asked.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._consumer: KafkaConsumer | None = None
        self._ends: dict[TopicPartition, int] = {}

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still kept."""
        where = self._named(partition)
        with self._asking() as consumer:
            return int(consumer.beginning_offsets([where], timeout_ms=_MS)[where])

    def end(self, partition: Partition) -> int:
        """The offset after what is committed; a transaction that is open holds it back."""
        where = self._named(partition)
        with self._asking() as consumer:
            end = int(consumer.end_offsets([where], timeout_ms=_MS)[where])
        self._ends[where] = end
        return end

    def identity(self, partition: Partition) -> str:
        """What the cluster calls this very topic; one that is made anew gets another name."""
        where = self._named(partition)
        with self._asking() as consumer:
            consumer.partitions_for_topic(where.topic)
            return str(consumer._cluster.topic_id(where.topic) or "")

    def caught_up(self, partition: Partition, offset: int) -> bool:
        """Whether nothing is committed from this offset on."""
        return offset >= self.end(partition)

    def offset_at(self, partition: Partition, at: int) -> int:
        """The first offset appended at or after `at` (ms); the end if there is none."""
        where = self._named(partition)
        with self._asking() as consumer:
            found = consumer.offsets_for_times({where: max(at, 0)}, timeout_ms=_MS)[where]
        return self.end(partition) if found is None else int(found.offset)

    def read(
        self, partition: Partition, offset: int, limit: int = 500, size: int = 8 << 20
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, at most `limit` and about `size` bytes.

        Answers with the gap too when retention took `offset`, or when nobody can read what is
        there; the records then begin behind it. No records: nothing is committed from there on.
        """
        raw, gap = self._read(partition, offset, limit, size)
        return [record_of(partition, each) for each in raw], gap

    def compacted(self, partition: Partition) -> list[tuple[bytes, bytes]]:
        """The newest value under each key of a compacted topic, without the removed ones."""
        found: dict[bytes, bytes] = {}
        end = self.end(partition)
        offset = self.begin(partition)
        while offset < end:
            raw, _ = self._read(partition, offset, 5_000, 64 << 20)
            if not raw:
                break
            for each in raw:
                key = each.key or b""
                found.pop(key, None)
                if each.value is not None:
                    found[key] = each.value
            offset = raw[-1].offset + 1
        return list(found.items())

    def close(self) -> None:
        """Let go of the broker."""
        consumer, self._consumer = self._consumer, None
        self._ends.clear()
        if consumer is not None:
            consumer.close(timeout_ms=1_000)

    def _read(
        self, partition: Partition, offset: int, limit: int, size: int
    ) -> tuple[list[Any], Gap | None]:
        where = self._named(partition)
        gap: Gap | None = None
        raw: list[Any] = []
        deadline = time.monotonic() + PATIENCE
        while len(raw) < limit and size > 0:
            if offset >= self._ends.get(where, 0) and (raw or self.caught_up(partition, offset)):
                break
            try:
                with self._asking() as consumer:
                    _go_to(consumer, where, offset)
                    found = polled(consumer, 0 if raw else 0.05, limit - len(raw)).get(where, [])
                    offset = consumer.position(where, timeout_ms=_MS)
            except _Gone:
                begin = self.begin(partition)
                if raw or begin <= offset:
                    # Taken between two answers, or a leader that has yet to learn of the offset.
                    self._ends.pop(where, None)
                    found = []
                else:
                    gap = _joined(gap, Gap(partition, offset, begin))
                    offset = begin
                    continue
            except Skipped as skipped:
                if raw:
                    break
                log.error(
                    "records that cannot be read were skipped",
                    extra={
                        "topic": partition.topic,
                        "partition": partition.number,
                        "first": skipped.first,
                        "resumed": skipped.resumed,
                        "why": skipped.why,
                    },
                )
                gap = _joined(gap, Gap(partition, skipped.first, skipped.resumed))
                offset = skipped.resumed
                continue
            if raw and not found:
                break
            raw += found
            size -= sum(len(each.value or b"") for each in found)
            if not raw and time.monotonic() > deadline:
                self.close()
                raise LogAway(f"{where.topic}/{where.partition}: no records within {PATIENCE:g} s")
        return raw, gap

    @contextmanager
    def _asking(self) -> Iterator[KafkaConsumer]:
        if self._consumer is None:
            self._consumer = self._clients.consumer(fetch_max_wait_ms=20)
        try:
            with said(self._clients.settings):
                try:
                    yield self._consumer
                except kafka_errors.OffsetOutOfRangeError as fault:
                    raise _Gone from fault
        except LogAway:
            # Whatever it still waits for belongs to a question that nobody asks any more.
            self.close()
            raise

    def _named(self, partition: Partition) -> TopicPartition:
        return TopicPartition(self._clients.named(partition.topic), partition.number)


class _Gone(Exception):
    """The offset is not there: before the begin, or behind the end."""


def record_of(partition: Partition, raw: Any) -> Record:
    """A vendor's record as ours. What is no key or value of ours must not stop the reading: the
    decoder buries it."""
    key = (raw.key or b"").decode("utf-8", "replace")
    return Record(partition, raw.offset, raw.timestamp, key, raw.value or b"")


def _go_to(consumer: KafkaConsumer, where: TopicPartition, offset: int) -> None:
    if consumer.assignment() != {where}:
        consumer.assign([where])
        consumer.seek(where, offset)
    elif consumer.position(where, timeout_ms=_MS) != offset:
        consumer.seek(where, offset)


def _joined(before: Gap | None, gap: Gap) -> Gap:
    return gap if before is None else Gap(gap.partition, before.first, gap.resumed)
