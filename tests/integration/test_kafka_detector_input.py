"""Whatever is written to the metrics topic: the detector goes on, and decides on what follows."""

import os
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import ormsgpack
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.record import default_records

from ops.deploy.kafka.broker import Broker
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_topics import create
from schemas.alerts import AlertBatch
from schemas.dead_letter import DeadLetter
from schemas.errors import Reason
from schemas.stage import Message
from schemas.topics import ALERTS, DEAD_LETTERS, METRICS, TOPICS
from tests.integration.test_kafka_transport import bomb
from tests.support.build import metrics_message, rules_plan_messages, samples
from tests.support.kafka import settings_for
from tests.support.kafka_file import KafkaFile
from tests.support.kafka_worker import KafkaWorker
from tests.support.tocsin_process import wall
from tests.support.waiting import eventually

RULES = """
groups:
  - {name: hot, interval: 1s, rules: [{alert: Hot, expr: "temperature > 90"}]}
"""
PARTITIONS = 8
MANY, BOUND = 300, 450
"""Messages of a megabyte, each of which becomes a dead letter, and MiB. All of them at once would
take more than 700: a detector takes 150, what a poll may hold and its letters as much again, and
what the allocator keeps of it depends on how busy the machine is (357 to 418 were seen)."""
_numbers = count(1)


class Text(str):
    """A header's name as no client writes it, and every broker takes it."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe\xfd"


class Scene:
    """A detector as a process of its own, and its topics."""

    def __init__(self, broker: Broker, home: Path) -> None:
        self.kafka = settings_for(broker, partitions=PARTITIONS)
        self.clients = Clients(self.kafka, "test")
        create(self.clients)
        self.topic = self.clients.named(METRICS)
        self.log = KafkaLog(self.kafka, "test")
        self.file = KafkaFile(self.kafka)
        self.worker = KafkaWorker(home, "detector", self.kafka)
        self.log.publish(rules_plan_messages(RULES, partitions=PARTITIONS))
        self.worker.start()

    def raw(self, send: Callable[[KafkaProducer], object], **config: object) -> None:
        producer = self.clients.producer(**config)
        send(producer)
        producer.flush(30)
        producer.close()

    def hot(self) -> Message:
        """A sample that is alerted on, of a host that never was before, in partition 0."""
        at = wall()
        host = f"host-{next(_numbers)}"
        message = metrics_message(samples(host, {"temperature": 99.0}, at), at, 1)
        return Message(METRICS, host, message.value, 0)

    def decides(self) -> None:
        """The next good sample is decided on."""
        message = self.hot()
        self.log.publish([message])
        eventually(lambda: message.key in self.alerted(), 30, self.worker.tail)

    def alerted(self) -> set[str]:
        return {
            level.labels["instance"]
            for batch in self.file.events(ALERTS, AlertBatch)
            for level in batch.alerts
        }

    def figure(self, event: str) -> int:
        pattern = rf'tocsin_stage_events_total{{event="{event}",stage="detector"}} (\d+)'
        found = re.search(pattern, self.worker.probe("/metrics").text)
        return int(found[1]) if found else 0

    def letters(self) -> list[Reason]:
        return [letter.reason for letter in self.file.events(DEAD_LETTERS, DeadLetter)]

    def close(self) -> None:
        self.log.close()
        self.worker.kill()


@pytest.fixture(scope="module")
def scene(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(broker, tmp_path_factory.mktemp("detector"))
    yield made
    made.close()


@pytest.mark.parametrize(
    "headers", [[(f"h{n}", b"v" * 50) for n in range(10_000)], [(Text("x"), b"v")]]
)
def test_headers_are_harmless_whatever_is_in_them(
    scene: Scene, headers: list[tuple[str, bytes]]
) -> None:
    message = scene.hot()
    scene.raw(
        lambda p: p.send(scene.topic, message.value, b"k", headers=headers, partition=0),
    )
    scene.decides()
    assert message.key in scene.alerted()
    assert scene.figure("gap") == 0


def test_what_has_no_key_is_decided_on_and_what_is_no_event_is_buried(scene: Scene) -> None:
    message = scene.hot()
    newer = ormsgpack.packb(ormsgpack.unpackb(message.value) | {"version": 99})

    def send(producer: KafkaProducer) -> None:
        producer.send(scene.topic, message.value, None, partition=0)
        producer.send(scene.topic, None, b"k", partition=0)
        producer.send(scene.topic, b"hello", b"\xff", partition=0)
        producer.send(scene.topic, newer, b"k", partition=0)

    scene.raw(send)
    scene.decides()
    assert message.key in scene.alerted()
    reasons = [Reason.NOT_MSGPACK, Reason.NOT_AN_ENVELOPE, Reason.UNKNOWN_VERSION]
    assert scene.letters()[-3:] == reasons


def test_many_messages_at_the_limit_are_read_in_memory_that_is_bounded(scene: Scene) -> None:
    noise = os.urandom(TOPICS[METRICS].max_message - 1)
    before = len(scene.letters())

    def send(producer: KafkaProducer) -> None:
        for number in range(MANY):
            producer.send(scene.topic, noise, b"k", partition=number % PARTITIONS)

    scene.worker.kill()
    scene.raw(send)
    scene.worker.start()
    scene.decides()
    eventually(lambda: len(scene.letters()) == before + MANY, 90)
    assert peak(scene.worker.pid) < BOUND


def test_a_batch_that_expands_to_gigabytes_is_a_gap_and_takes_little_memory(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = scene.figure("gap")
    with monkeypatch.context() as patch:
        patch.setattr(default_records, "zstd_encode", lambda _records: bomb(1 << 30))
        scene.raw(lambda p: p.send(scene.topic, b"x" * 900_000, b"k", partition=0))
    scene.decides()
    assert scene.figure("gap") > gaps
    assert "records that cannot be read were skipped" in scene.worker.said
    assert peak(scene.worker.pid) < BOUND


def test_what_retention_took_while_it_was_away_is_counted(scene: Scene) -> None:
    scene.decides()
    assert scene.worker.stop() == 0
    lost = [scene.hot() for _ in range(20)]
    last = scene.log.publish(lost)[-1]
    admin = scene.clients.admin()
    admin.delete_records({TopicPartition(scene.topic, 0): last.offset + 1})
    admin.close()
    scene.worker.start()
    scene.decides()
    assert scene.figure("gap") >= 20
    assert "records lost to retention" in scene.worker.said


def peak(pid: int) -> int:
    """The most memory (MiB) that a process ever had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) >> 10
