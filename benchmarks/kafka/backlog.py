"""Records that appear all at once: published in a transaction that is committed when it is time.

So a worker can start, recover and wait before the first of them, and what is measured is the
reading alone. Records keep the times that they are given, as if they came over that time, which
lies ahead: what a worker appends meanwhile must not be later. Their topic takes the producer's
times until they are there, and the broker's from then on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka.admin import ConfigResource, ConfigResourceType

from ops.transport.kafka_clients import Clients
from ops.transport.keys import partition_of
from schemas.stage import Record

_DAY = 86_400_000


class Backlog:
    """`reveal` once the workers wait."""

    def __init__(self, clients: Clients, partitions: int) -> None:
        self._clients = clients
        self._numbers = range(partitions)
        self._producer = clients.producer(
            transactional_id=clients.named("bench"),
            transaction_timeout_ms=600_000,
            batch_size=1 << 18,
            linger_ms=5,
            delivery_timeout_ms=120_000,
            max_block_ms=60_000,
        )
        self._producer.init_transactions()

    def show(self, records: Sequence[Record]) -> None:
        """Publish into every partition, seen at once."""
        self._publish([(record, number) for record in records for number in self._numbers])
        self._producer.commit_transaction()

    def hide(self, records: Sequence[Record]) -> None:
        """Publish by key, unseen."""
        self._publish(
            [(record, partition_of(record.key, len(self._numbers))) for record in records]
        )

    def reveal(self) -> None:
        """Let everybody see it."""
        self._producer.commit_transaction()

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.close(5)

    def _publish(self, records: Sequence[tuple[Record, int]]) -> None:
        topics = sorted({record.partition.topic for record, _ in records})
        self._stamped_by("CreateTime", topics)
        self._producer.begin_transaction()
        futures = [
            self._producer.send(
                self._clients.named(record.partition.topic),
                record.value,
                record.key.encode(),
                partition=number,
                timestamp_ms=record.appended_at,
            )
            for record, number in records
        ]
        for future in futures:
            future.get(120)
        self._stamped_by("LogAppendTime", topics)

    def _stamped_by(self, kind: str, topics: Sequence[str]) -> None:
        admin = self._clients.admin()
        for topic in topics:
            named = self._clients.named(topic)
            settings = {"message.timestamp.type": kind, "message.timestamp.after.max.ms": str(_DAY)}
            resource = ConfigResource(ConfigResourceType.TOPIC, named, settings)
            assert admin.alter_configs([resource])["topic"][named] == "OK"
        admin.close()


@contextmanager
def backlog(clients: Clients, partitions: int) -> Iterator[Backlog]:
    """Lets go of the broker at the end."""
    made = Backlog(clients, partitions)
    try:
        yield made
    finally:
        made.close()
