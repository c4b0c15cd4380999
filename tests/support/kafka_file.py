"""What is in Kafka's topics, asked beside the workers; the questions of `log_file.LogFile`."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_clients import Clients, group_of
from ops.transport.kafka_reader import KafkaReader
from schemas.envelope import Envelope
from schemas.event import Event
from schemas.stage import Partition, Record
from schemas.topics import CODEC, TOPICS

E = TypeVar("E", bound=Event)


class KafkaFile:
    """Committed records of a test's topics; connects for each question."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._clients = Clients(settings, "test")

    def records(self, topic: str) -> list[Record]:
        """Everything that is kept of a topic."""
        reader = KafkaReader(self._clients)
        found: list[Record] = []
        for number in range(self._count(topic)):
            partition, offset = Partition(topic, number), 0
            while True:
                records, _ = reader.read(partition, offset, 5_000)
                if not records:
                    break
                found += records
                offset = records[-1].offset + 1
        reader.close()
        return found

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
        return {
            (record.partition.topic, record.partition.number): record.offset + 1
            for topic in TOPICS
            for record in self.records(topic)
        }

    def committed(self, group: str) -> Mapping[tuple[str, int], int]:
        """Where a group goes on, by topic and partition."""
        admin = self._clients.admin()
        name = self._clients.named(group_of(group))
        found = admin.list_group_offsets({name: None})[name]
        admin.close()
        return {
            (self._clients.plain(where.topic), where.partition): at.offset
            for where, at in found.items()
        }

    def sound(self) -> bool:
        """A broker looks after its files itself."""
        return True

    def _count(self, topic: str) -> int:
        consumer = self._clients.consumer()
        try:
            return len(consumer.partitions_for_topic(self._clients.named(topic)) or ())
        finally:
            consumer.close()
