"""Appending to Kafka, each key to the partition that the embedded log would choose."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import KafkaProducer
from kafka import errors as kafka_errors

from ops.transport.kafka_clients import PATIENCE, Clients, let_go, said
from ops.transport.keys import encoded, partition_of
from schemas.errors import LogAway, TooLarge
from schemas.stage import Message, Partition, Position
from schemas.topics import TOPICS

_BATCH = 1 << 19
"""Bytes before compression. One batch of a partition is on its way at a time, so this is what a
round trip carries."""


class KafkaPublish:
    """See `schemas.stage.Publish`; any number of threads. Connects when it is first asked.

    `appended` is told the newest append time of each call, in ms.
    """

    def __init__(
        self, clients: Clients, appended: Callable[[int], None] = lambda _at: None
    ) -> None:
        self._clients = clients
        self._appended = appended
        self._lock = threading.Lock()
        self._current: _Shared | None = None
        self._closed = False

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        """Append; see `schemas.stage.Publish`."""
        keys = _measured(messages)
        if not messages:
            return []
        deadline = time.monotonic() + timeout
        with self._producing(deadline) as shared:
            numbers = self._partitions(shared.producer, messages, deadline)
            try:
                acks = self._send(shared.producer, messages, keys, numbers, deadline)
            except Exception:
                # What is left of it would go out behind our back, and a producer that was
                # fenced or has lost count never sends again: the next call begins anew.
                self._retire(shared)
                raise
        positions = [
            Position(Partition(message.topic, ack.partition), ack.offset, ack.timestamp)
            for message, ack in zip(messages, acks, strict=True)
        ]
        self._appended(max(position.appended_at for position in positions))
        return positions

    def close(self) -> None:
        """Let go of the brokers; who still waits for an answer gets `LogAway`."""
        with self._lock:
            self._closed = True
            shared, self._current = self._current, None
        if shared is not None:
            let_go(shared.producer)

    def _send(
        self,
        producer: KafkaProducer,
        messages: Sequence[Message],
        keys: Sequence[bytes],
        numbers: Sequence[int],
        deadline: float,
    ) -> list[Any]:
        """Answers with Kafka's acknowledgements."""
        with said(self._clients.settings):
            futures = [
                producer.send(self._clients.named(message.topic), message.value, key, partition=n)
                for message, key, n in zip(messages, keys, numbers, strict=True)
            ]
            return [future.get(max(0.0, deadline - time.monotonic())) for future in futures]

    def _partitions(
        self, producer: KafkaProducer, messages: Sequence[Message], deadline: float
    ) -> list[int]:
        """Where each message belongs. Raises `LogAway` for what the cluster does not have."""
        counts = {
            topic: self._count(producer, topic, deadline)
            for topic in {message.topic: None for message in messages}
        }
        numbers = []
        for message in messages:
            number, count = message.partition, counts[message.topic]
            if number is None:
                number = partition_of(message.key, count)
            if not 0 <= number < count:
                named = self._clients.named(message.topic)
                raise LogAway(f"no partition {number} in topic {named!r}: it has {count}")
            numbers.append(number)
        return numbers

    def _count(self, producer: KafkaProducer, topic: str, deadline: float) -> int:
        named = self._clients.named(topic)
        left = min(max(0.05, deadline - time.monotonic()), PATIENCE)
        with said(self._clients.settings):
            try:
                # `partitions_for` would wait for as long as the producer was set up to.
                return len(producer._wait_on_metadata(named, left * 1000))
            except kafka_errors.KafkaTimeoutError as fault:
                raise LogAway(
                    f"no topic {named!r}, or no answer within {left:.3g} s: `tocsin topics list` "
                    "shows what is there"
                ) from fault

    @contextmanager
    def _producing(self, deadline: float) -> "Iterator[_Shared]":
        if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise LogAway("no answer yet from Kafka: another thread waits for it as well")
        try:
            shared = self._current or self._connect(deadline)
            self._current = shared
            shared.users += 1
        finally:
            self._lock.release()
        try:
            yield shared
        finally:
            with self._lock:
                shared.users -= 1
                over = shared.retired and not shared.users
            if over:
                let_go(shared.producer)

    def _connect(self, deadline: float) -> "_Shared":
        if self._closed:
            raise LogAway("closed")
        left = min(max(0.05, deadline - time.monotonic()), PATIENCE)
        given: dict[str, Any] = {"bootstrap_timeout_ms": int(left * 1000), "batch_size": _BATCH}
        return _Shared(self._clients.producer(**given))

    def _retire(self, shared: "_Shared") -> None:
        """Nobody new takes it; the last of those who wait for it ends it."""
        with self._lock:
            shared.retired = True
            if self._current is shared:
                self._current = None


class _Shared:
    """A producer and how many threads wait for it."""

    def __init__(self, producer: KafkaProducer) -> None:
        self.producer = producer
        self.users = 0
        self.retired = False


def _measured(messages: Sequence[Message]) -> list[bytes]:
    """The keys as bytes.

    Raises `TooLarge` for a message above its topic's limit, `Refused` for a key that is no UTF-8
    text, and `LogAway` for a topic that is not in the table.
    """
    keys = []
    for message in messages:
        if message.topic not in TOPICS:
            raise LogAway(f"no topic {message.topic!r}")
        keys.append(encoded(message.key))
        size = len(message.value) + len(keys[-1])
        limit = TOPICS[message.topic].max_message
        if size > limit:
            raise TooLarge(
                f"a message of {size} bytes for {message.topic}: the limit is {limit}; split it"
            )
    return keys
