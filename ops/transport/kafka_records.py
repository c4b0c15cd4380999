"""Kafka at any offset for threads that now and then ask: one reader, one at a time."""

import threading

from ops.transport.kafka_clients import Clients
from ops.transport.kafka_reader import KafkaReader
from schemas.stage import Gap, Partition, Record

_CLOSE_WITHIN = 1.0


class KafkaRecords:
    """See `ops.services.Records`; connects when it is first asked."""

    def __init__(self, clients: Clients) -> None:
        self._reader = KafkaReader(clients)
        self._lock = threading.Lock()

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still there."""
        with self._lock:
            return self._reader.begin(partition)

    def end(self, partition: Partition) -> int:
        """The offset that the next record will have."""
        with self._lock:
            return self._reader.end(partition)

    def offset_at(self, partition: Partition, at: int) -> int:
        """The first offset appended at or after `at` (ms)."""
        with self._lock:
            return self._reader.offset_at(partition, at)

    def read(
        self, partition: Partition, offset: int, limit: int = 500
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, at most `limit`, and what retention took before them."""
        with self._lock:
            return self._reader.read(partition, offset, limit)

    def close(self) -> None:
        """Let go of the broker, unless somebody still waits for its answer."""
        if self._lock.acquire(timeout=_CLOSE_WITHIN):
            try:
                self._reader.close()
            finally:
                self._lock.release()
