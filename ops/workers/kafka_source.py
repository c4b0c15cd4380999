"""What a follower reads, from Kafka."""

from collections.abc import Sequence

from ops.transport import kafka_checkpoint
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_reader import KafkaReader
from ops.transport.kafka_topics import found
from ops.workers.follower import Stored
from schemas.errors import LogAway, Refused
from schemas.stage import Gap, Partition, Record
from schemas.topics import ALERTS, checkpoints

_CHECKPOINTS = checkpoints("router")


class KafkaSource:
    """See `ops.workers.follower.Source`. Raises `LogAway` also for what Kafka refuses us."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._reader = KafkaReader(clients)

    def partitions(self) -> Sequence[Partition]:
        """Those of the alerts topic."""
        try:
            there = found(self._clients, [ALERTS]).get(ALERTS)
        except Refused as fault:
            raise LogAway(str(fault)) from fault
        if there is None:
            raise LogAway(f"{self._clients.named(ALERTS)} is missing: run tocsin topics create")
        return [Partition(ALERTS, number) for number in range(there.partitions)]

    def checkpoint(self, partition: Partition) -> tuple[int | None, Stored]:
        """As the router wrote it: offset and state are of one transaction."""
        entries = self._reader.compacted(Partition(_CHECKPOINTS, partition.number))
        checkpoint = kafka_checkpoint.read(entries)
        return checkpoint.next, checkpoint.state

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still there."""
        return self._reader.begin(partition)

    def end(self, partition: Partition) -> int:
        """The offset after what is committed."""
        return self._reader.end(partition)

    def read(
        self, partition: Partition, offset: int, limit: int, /
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, and what retention took before them."""
        return self._reader.read(partition, offset, limit)

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()
