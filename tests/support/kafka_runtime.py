"""Stages on a real broker, a turn at a time: transactions and checkpoints are the true ones.

Records carry the test's time, so topics keep the producer's timestamps here. Who the group is,
how it rebalances and what zombies do is tried in tests/integration.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from kafka import TopicPartition

from ops.config_kafka import KafkaSettings
from ops.runtime.driver import Driver
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_clock import KafkaClock
from ops.transport.kafka_reader import KafkaReader
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.keys import partition_of
from schemas.stage import Message, Partition, Stage
from schemas.topics import METRICS, TOPICS, checkpoints
from tests.support.build import T0
from tests.support.crashing import Crashed, Crasher


class OnKafka:
    """A driver on every partition; a crash leaves its transaction open."""

    def __init__(self, settings: KafkaSettings, make: Callable[[], Stage], partitions: int) -> None:
        self._clients = Clients(settings, "laws")
        self._make = make
        self._partitions = partitions
        self._now = T0
        self._crasher = Crasher()
        self._drivers: list[Driver] = []
        self._logs: list[KafkaStageLog] = []
        self._feeds: list[Feed] = []
        self._fed: list[int] = []
        self._topic = make().topic
        self._create(make().name)
        self._producer = self._clients.producer()
        self._reader = KafkaReader(self._clients)
        self._ends = self._clients.consumer(isolation_level="read_uncommitted")
        self.restart()

    def publish(self, messages: Sequence[Message], now: int) -> None:
        self._now = max(self._now, now)
        futures = []
        for message in messages:
            count = self._partitions if message.topic == METRICS else 1
            number = message.partition
            if number is None:
                number = partition_of(message.key, count)
            futures.append(
                self._producer.send(
                    self._clients.named(message.topic),
                    message.value,
                    message.key.encode(),
                    partition=number,
                    timestamp_ms=self._now,
                )
            )
        for future in futures:
            future.get(10)

    def settle(self) -> None:
        while True:
            try:
                while sum(self._turn(number) for number in range(len(self._drivers))):
                    pass
                return
            except Crashed:
                self.restart()

    def restart(self) -> None:
        """Forget everything; nobody says goodbye to the broker."""
        for driver, log in zip(self._drivers, self._logs, strict=True):
            driver.close()
            log.close()
        count = self._partitions if self._topic == METRICS else 1
        self._feeds = [Feed() for _ in range(count)]
        self._fed = [0] * count
        self._logs = [
            KafkaStageLog(self._clients, feed, _Time(self), self._crasher, stamp=lambda: self._now)
            for feed in self._feeds
        ]
        self._drivers = [
            Driver(log, self._make, number, self._crasher, commit_within=0.0)
            for number, log in enumerate(self._logs)
        ]

    def crash_after(self, boundaries: int) -> None:
        self._crasher.left = boundaries

    def read(self, topic: str) -> list[bytes]:
        partition, offset, found = Partition(topic, 0), 0, list[bytes]()
        self._wait_for_marks(partition)
        while True:
            records, _ = self._reader.read(partition, offset, 1_000)
            if not records:
                return found
            found += [record.value for record in records]
            offset = records[-1].offset + 1

    def close(self) -> None:
        for driver, log in zip(self._drivers, self._logs, strict=True):
            driver.close()
            log.close()
        self._producer.close(5)
        self._reader.close()
        self._ends.close()

    def _turn(self, number: int) -> bool:
        """What the group's consumer would have fed by now, then a turn."""
        feed, partition = self._feeds[number], Partition(self._topic, number)
        self._wait_for_marks(partition)
        records, _ = self._reader.read(partition, self._fed[number], 1_000)
        feed.put(records)
        if records:
            self._fed[number] = records[-1].offset + 1
        return self._drivers[number].turn() or bool(records)

    def _wait_for_marks(self, partition: Partition) -> None:
        """A commit is answered before its marks are written, which the next reader may not see."""
        where = TopicPartition(self._clients.named(partition.topic), partition.number)
        while self._reader.end(partition) < self._ends.end_offsets([where])[where]:
            pass

    def _create(self, stage: str) -> None:
        wanted = {
            topic.name: self._partitions if topic.name == METRICS else 1
            for topic in TOPICS.values()
        }
        wanted[checkpoints(stage)] = self._partitions
        config = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        admin = self._clients.admin()
        admin.create_topics(
            {
                self._clients.named(name): {
                    "num_partitions": count,
                    "replication_factor": 1,
                    "configs": config,
                }
                for name, count in wanted.items()
            }
        )
        admin.close()


class _Time(KafkaClock):
    """The test's time, whatever the broker says."""

    def __init__(self, runtime: OnKafka) -> None:
        super().__init__()
        self._runtime = runtime

    def __call__(self) -> int:
        return self._runtime._now


def on_kafka(settings: Callable[[], KafkaSettings]) -> Callable[..., OnKafka]:
    """A maker of runtimes as the laws want them, on this broker."""

    def OnKafkaRuntime(_directory: Path, make: Callable[[], Stage], partitions: int) -> OnKafka:
        return OnKafka(settings(), make, partitions)

    return OnKafkaRuntime
