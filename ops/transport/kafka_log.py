"""Kafka as agents, couriers, historians and the console use it; a stage has its own way."""

from collections.abc import Sequence

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_clients import Clients, group_of
from ops.transport.kafka_clock import KafkaClock
from ops.transport.kafka_inbox import KafkaInbox
from ops.transport.kafka_publish import KafkaPublish
from ops.transport.kafka_reader import KafkaReader
from ops.transport.stage_log import Clock
from schemas.stage import Message, Position


class KafkaLog:
    """See `ops.transport.log.Log`. `name` is what the brokers' logs call this process.

    Connects when it is first asked; whoever was given an inbox or a reader closes it.
    """

    def __init__(self, settings: KafkaSettings, name: str) -> None:
        self._clients = Clients(settings, name)
        self._clock = KafkaClock()
        self._publish = KafkaPublish(self._clients, self._clock.appended)

    @property
    def clock(self) -> Clock:
        """The brokers' clock, in ms, as of the newest append that was acknowledged."""
        return self._clock

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        """Append; see `schemas.stage.Publish`."""
        return self._publish.publish(messages, timeout)

    def inbox(self, group: str, topics: Sequence[str]) -> KafkaInbox:
        """Join a consumer group, on the cluster `tocsin.GROUP`. Raises `LogAway`."""
        return KafkaInbox(self._clients, group_of(group), topics)

    def reader(self) -> KafkaReader:
        """Reads any partition at any offset."""
        return KafkaReader(self._clients)

    def close(self) -> None:
        """Let go of the brokers; what was published is durable already."""
        self._publish.close()
