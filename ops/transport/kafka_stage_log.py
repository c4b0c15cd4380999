"""A stage's way to one partition on Kafka: fed by its group, committed by transactions (ADR 9)."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka import errors as kafka_errors
from kafka.structs import OffsetAndMetadata

from ops.transport import kafka_checkpoint
from ops.transport.feed import Feed
from ops.transport.kafka_checkpoint import Checkpoint
from ops.transport.kafka_clients import PATIENCE, Clients, let_go, said
from ops.transport.kafka_clock import KafkaClock
from ops.transport.kafka_reader import KafkaReader
from ops.transport.keys import encoded, partition_of
from ops.transport.stage_log import Clock, Fenced, StageCommit, StageReader, Stale
from schemas.errors import LogAway
from schemas.stage import Gap, Message, Partition, Position, Record
from schemas.topics import checkpoints

log = logging.getLogger(__name__)

TRANSACTION_TIMEOUT = 10_000
"""ms after which the broker aborts what a worker that is gone left open."""
_FENCED = (
    kafka_errors.ProducerFencedError,
    kafka_errors.InvalidProducerEpochError,
    kafka_errors.TransactionCoordinatorFencedError,
)

_NEVER = 1 << 62
_SIZE = 2 << 20
"""Bytes, about, that a driver is given at once: there is one to each partition."""
LOOK_EVERY = 5.0
"""Seconds between looks at a partition's end, which tell how far behind its driver is."""

Member = Callable[[], object]
"""The group membership under which offsets go into a transaction, as kafka-python gives it."""


class KafkaStageLog:
    """See `ops.transport.stage_log.StageLog`.

    `member` gives the membership whose offset goes into each transaction; without it whoever fills
    the feed commits the group's offsets afterwards. `stamp` gives append times (ms) for topics that
    keep the producer's, which only replays have.
    """

    def __init__(
        self,
        clients: Clients,
        feed: Feed | None = None,
        clock: KafkaClock | None = None,
        crash: Callable[[str], None] = lambda _point: None,
        member: Member | None = None,
        stamp: Callable[[], int] | None = None,
    ) -> None:
        self._clients = clients
        self._feed = feed or Feed()
        self._clock = clock or KafkaClock()
        self._crash = crash
        self._member = member
        self._stamp = stamp
        self._producer: KafkaProducer | None = None
        self._known = _Known()
        self._name = os.urandom(8).hex()
        self._count = 0
        self._attempted: tuple[StageCommit, str] | None = None
        self.partitions: Mapping[str, int] = _Partitions(self)
        self.commits = 0
        self.aborts = 0

    @property
    def clock(self) -> Clock:
        """The brokers' clock, in ms."""
        return self._clock

    def claim(self, stage: str, partition: Partition) -> None:
        """End what a predecessor left open, and fence it. Raises `LogAway`."""
        self._attempted = None
        self._claim(stage, partition)

    def reader(self) -> StageReader:
        """Reads what the feed has, and asks the broker for what it has not."""
        return _Reader(self._clients, self._feed, self._known)

    def commit_stage(self, commit: StageCommit) -> list[Position]:
        """One transaction.

        A commit that failed is to be repeated. Then it is looked up first, so that a reload is
        spared: what the broker did with it is known once the partition is claimed again. Raises
        `Stale` if somebody else committed meanwhile, `Fenced` if it looks as if that might be.
        """
        if self._producer is None and self._is_there(commit):
            self._committed(commit)
            return []
        self._count += 1
        mark = f"{self._name}/{self._count}"
        self._attempted = (commit, mark)
        pieces = dict(self._known.pieces)
        try:
            acks = self._transaction(commit, mark, pieces)
        except (kafka_errors.KafkaError, OSError, ValueError, AssertionError) as fault:
            fenced = _is_fenced(fault, self._producer)
            self._let_go()
            if fenced:
                raise Fenced(f"another worker may have {commit.partition}: {fault}") from fault
            self.aborts += 1
            raise LogAway(f"the transaction did not come through: {fault!r}") from fault
        self._known.mark = mark
        self._known.pieces = pieces
        self._committed(commit)
        return [
            Position(Partition(message.topic, ack.partition), ack.offset, ack.timestamp)
            for message, ack in zip(commit.outputs, acks, strict=False)
        ]

    def listen(self, topics: Sequence[str]) -> threading.Event:
        """Set whenever the feed grows."""
        return self._feed.grown

    def unlisten(self, event: threading.Event) -> None:
        """Nothing to do: the feed is this partition's own."""

    def close(self) -> None:
        """Let go of the broker."""
        self._let_go()

    def count_of(self, topic: str) -> int:
        """How many partitions a topic has. Raises `LogAway`."""
        if self._producer is None:
            raise LogAway("not connected")
        with said(self._clients.settings):
            return len(self._producer.partitions_for(self._clients.named(topic)))

    def _claim(self, stage: str, partition: Partition) -> None:
        self._let_go()
        if self._feed.unsettled:
            # Who claims what is another's by now stops that one, and is stopped by it in turn.
            raise Fenced(f"the group has yet to say whose {partition} is")
        producer = self._clients.producer(
            transactional_id=self._clients.named(f"tocsin.{stage}.{partition.number}"),
            transaction_timeout_ms=TRANSACTION_TIMEOUT,
            retry_backoff_ms=10,
            # A batch that met a broker on its way down is not always sent again by itself.
            request_timeout_ms=TRANSACTION_TIMEOUT // 2,
            delivery_timeout_ms=TRANSACTION_TIMEOUT,
        )
        try:
            with said(self._clients.settings):
                producer.init_transactions()
        except BaseException:
            let_go(producer)
            raise
        self._producer = producer

    def _is_there(self, commit: StageCommit) -> bool:
        """Whether an attempt, whose answer never came, was committed after all."""
        if self._attempted is None:
            raise Stale("no transaction can begin before the partition was claimed")
        attempted, mark = self._attempted
        self._claim(commit.stage, commit.partition)
        reader = KafkaReader(self._clients)
        try:
            topic = checkpoints(commit.stage)
            entries = reader.compacted(Partition(topic, commit.partition.number))
        except LogAway:
            self._let_go()
            raise
        finally:
            reader.close()
        found = kafka_checkpoint.read(entries)
        if found.mark not in (self._known.mark, mark):
            self._let_go()
            raise Stale(f"another worker has committed on {commit.partition}")
        there = found.mark == mark
        self._known.mark, self._known.pieces = found.mark, found.pieces
        return there and attempted is commit

    def _transaction(self, commit: StageCommit, mark: str, pieces: dict[str, int]) -> list[Any]:
        producer = self._producer
        assert producer is not None
        producer.begin_transaction()
        futures = [self._send(producer, message) for message in commit.outputs]
        self._crash(f"{commit.stage}.outputs-sent")
        topic, number = self._clients.named(checkpoints(commit.stage)), commit.partition.number
        entries = kafka_checkpoint.written(
            commit.next, mark, self._known.topic, commit.changes, pieces
        )
        futures += [producer.send(topic, value, key, partition=number) for key, value in entries]
        producer.flush(PATIENCE)
        acks = [future.get(PATIENCE) for future in futures]
        self._clock.appended(acks[-1].timestamp)
        self._crash(f"{commit.stage}.state-sent")
        if self._member is not None:
            where = TopicPartition(self._clients.named(commit.partition.topic), number)
            offsets = {where: OffsetAndMetadata(commit.next, "", -1)}
            producer.send_offsets_to_transaction(offsets, self._member())
        self._crash(f"{commit.stage}.offset-sent")
        producer.commit_transaction()
        return acks

    def _committed(self, commit: StageCommit) -> None:
        self._attempted = None
        self.commits += 1
        self._feed.drop(commit.next)

    def _send(self, producer: KafkaProducer, message: Message) -> Any:
        number = message.partition
        if number is None:
            number = partition_of(message.key, self.partitions[message.topic])
        return producer.send(
            self._clients.named(message.topic),
            message.value,
            encoded(message.key),
            partition=number,
            timestamp_ms=self._stamp() if self._stamp else None,
        )

    def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            let_go(producer)


@dataclass(slots=True)
class _Known:
    """What the checkpoint said when it was last read or written."""

    mark: str = ""
    topic: str = ""
    pieces: dict[str, int] = field(default_factory=dict)


class _Reader:
    """The feed where it reaches, the broker where it does not."""

    def __init__(self, clients: Clients, feed: Feed, known: _Known) -> None:
        self._clients = clients
        self._feed = feed
        self._known = known
        self.anew = False
        self._pull = KafkaReader(clients)
        self._checkpoint: Checkpoint | None = None
        self._live = _NEVER
        """From this offset on the feed is asked; below it windows are rebuilt."""
        self._until_dry = False
        """Whether the feed is asked only once the broker has nothing more."""
        self._trusted = False
        """Whether holes in the feed have been found to be nothing but marks."""
        self._looked = 0.0

    def begin(self, partition: Partition) -> int:
        return self._pull.begin(partition)

    def end(self, partition: Partition) -> int:
        # Also asked by whoever reports how far behind a worker is, from another thread.
        return max(self._feed.end, self._live if self._live < _NEVER else 0)

    def caught_up(self, partition: Partition, offset: int) -> bool:
        self._look(partition, 0.0)
        if offset >= self._feed.end:
            return True
        # What is left may be nothing but the marks of transactions.
        return not self._pull.read(partition, offset, 1)[0]

    def offset_at(self, partition: Partition, at: int) -> int:
        return self._pull.offset_at(partition, at)

    def read(
        self, partition: Partition, offset: int, limit: int = 500, size: int = _SIZE
    ) -> tuple[list[Record], Gap | None]:
        if offset < self._live:
            records, gap = self._pull.read(partition, offset, limit, size)
            if records or gap or not self._until_dry:
                return records, gap
            self._live, self._until_dry = offset, False
        self._look(partition, LOOK_EVERY)
        records = self._feed.take(offset, limit, size)
        if not records and self._feed.adrift:
            self._trusted = False
            return self._pull.read(partition, offset, limit, size)
        if records and records[0].offset > offset:
            missed, gap = self._hole(partition, offset, records[0].offset, limit, size)
            if missed or gap:
                return missed, gap
        return records, None

    def _hole(
        self, partition: Partition, offset: int, until: int, limit: int, size: int
    ) -> tuple[list[Record], Gap | None]:
        """What is in a hole of the feed: a transaction's mark, unless retention was there, or
        nobody can read it.

        Records that the feed never got there can be only before its first ones.
        """
        begin = self._pull.begin(partition)
        if begin > offset:
            return [], Gap(partition, offset, min(begin, until))
        if self._trusted and not self._feed.doubtful(offset, until):
            return [], None
        self._trusted = True
        missed, gap = self._pull.read(partition, offset, limit, size)
        return [record for record in missed if record.offset < until], gap

    def _look(self, partition: Partition, every: float) -> None:
        """Ask where the partition ends, and whether it is still the same topic."""
        now = time.monotonic()
        if now - self._looked < every:
            return
        self._looked = now
        self._feed.reaches(self._pull.end(partition))
        # Without an answer (no leader just now) nothing is known; it is no other topic for that.
        found = self._pull.identity(partition)
        if found and self._known.topic and found != self._known.topic:
            raise Stale(f"{partition} was made anew under us")

    def committed(self, group: str, partition: Partition) -> int | None:
        if self._checkpoint is None:
            self.state(group, partition.number)
        checkpoint, self._checkpoint = self._checkpoint, None
        next_ = checkpoint.next if checkpoint else None
        known = checkpoint.topic if checkpoint else ""
        self._known.topic = self._pull.identity(partition) or known
        self.anew = bool(known) and known != self._known.topic
        if self.anew:
            next_ = None
        begins = next_ if next_ is not None else self._pull.begin(partition)
        self._live, self._until_dry = (_NEVER, True) if self.anew else (begins, False)
        self._trusted = False
        self._looked = time.monotonic()
        self._feed.begin_again(self.anew)
        self._feed.reaches(self._pull.end(partition))
        self._feed.drop(begins)
        return next_

    def state(self, stage: str, partition: int, prefix: str = "") -> list[tuple[str, bytes]]:
        self._pull.close()  # what it knows of topics may be minutes old
        entries = self._pull.compacted(Partition(checkpoints(stage), partition))
        self._checkpoint = kafka_checkpoint.read(entries)
        self._known.mark, self._known.pieces = self._checkpoint.mark, self._checkpoint.pieces
        return [(k, v) for k, v in self._checkpoint.state if k.startswith(prefix)]

    def close(self) -> None:
        self._pull.close()


def _is_fenced(fault: BaseException, producer: KafkaProducer | None) -> bool:
    """Whether a successor is behind it; kafka-python wraps that in errors of other kinds."""
    manager = producer._transaction_manager if producer is not None else None
    found = [fault, fault.__cause__, getattr(manager, "last_error", None), *fault.args]
    return any(isinstance(each, _FENCED) for each in found)


class _Partitions(Mapping[str, int]):
    """Partition counts by topic, asked once each."""

    def __init__(self, log: KafkaStageLog) -> None:
        self._log = log
        self._known: dict[str, int] = {}

    def __getitem__(self, topic: str) -> int:
        if topic not in self._known:
            self._known[topic] = self._log.count_of(topic)
        return self._known[topic]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
