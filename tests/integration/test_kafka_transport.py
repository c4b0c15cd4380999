"""What the transport does with bad input and bad brokers, on a real one."""

import gc
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cramjam
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.record import default_records
from kafka.record.util import encode_varint

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker, free_port
from ops.transport import kafka_topics
from ops.transport.kafka_batches import LARGEST
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_inbox import KafkaInbox
from ops.transport.kafka_log import KafkaLog
from schemas.errors import LogAway, TooLarge
from schemas.stage import Gap, Inbox, Message, Partition, Record
from schemas.topics import ALERTS, DEAD_LETTERS, TOPICS
from tests.support.kafka import jars, settings_for

WHERE = Partition(ALERTS, 0)


class Rig:
    """A log, an inbox of it, and vendor's clients for what no log of ours would do."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.clients = Clients(settings, "test")
        kafka_topics.create(self.clients)
        self.log = KafkaLog(settings, "test")
        self.topic = self.clients.named(ALERTS)
        self.inboxes: list[KafkaInbox] = []

    def inbox(self) -> KafkaInbox:
        self.inboxes.append(self.log.inbox("g", [ALERTS]))
        return self.inboxes[-1]

    def publish(self, *values: bytes) -> None:
        self.log.publish([Message(ALERTS, "k", value) for value in values])

    def raw(self, send: Callable[[KafkaProducer], object], **config: object) -> None:
        producer = self.clients.producer(**config)
        send(producer)
        producer.flush(30)
        producer.close()

    def delete_before(self, offset: int) -> None:
        admin = self.clients.admin()
        admin.delete_records({TopicPartition(self.topic, 0): offset})
        admin.close()

    def close(self) -> None:
        for inbox in self.inboxes:
            inbox.close()
        self.log.close()


@pytest.fixture
def rig(broker: Broker) -> Iterator[Rig]:
    made = Rig(settings_for(broker, partitions=1))
    yield made
    made.close()


def drain(inbox: Inbox, want: int) -> list[Record]:
    records: list[Record] = []
    ends = time.monotonic() + 30
    while len(records) < want:
        records += inbox.poll(1.0)
        assert time.monotonic() < ends, f"only {len(records)} of {want} records came"
    return records


def took(call: Callable[[], object]) -> float:
    """Seconds until the call raised `LogAway`."""
    began = time.monotonic()
    with pytest.raises(LogAway):
        call()
    return time.monotonic() - began


def test_null_keys_and_values_and_keys_that_are_no_text_come_as_what_can_be_buried(
    rig: Rig,
) -> None:
    def send(producer: KafkaProducer) -> None:
        producer.send(rig.topic, b"v", None, partition=0)
        producer.send(rig.topic, None, b"k", partition=0)
        producer.send(rig.topic, b"", b"\xff\xfe", partition=0)

    rig.raw(send)
    found = [(record.key, record.value) for record in drain(rig.inbox(), 3)]
    assert found == [("", b"v"), ("k", b""), ("\ufffd\ufffd", b"")]


@pytest.mark.parametrize("topic", [ALERTS, DEAD_LETTERS])
def test_noise_of_exactly_the_limit_passes_and_one_byte_more_does_not(rig: Rig, topic: str) -> None:
    limit = TOPICS[topic].max_message
    noise = os.urandom(limit)
    with pytest.raises(TooLarge):
        rig.log.publish([Message(topic, "k", noise)])
    [position] = rig.log.publish([Message(topic, "k", noise[:-1])])
    reader = rig.log.reader()
    [record], _ = reader.read(position.partition, position.offset)
    reader.close()
    assert record.value == noise[:-1]


def test_a_broker_with_a_lower_limit_refuses_and_says_what_to_set(rig: Rig) -> None:
    admin = rig.clients.admin()
    admin.create_topics(
        {
            rig.clients.named("small." + ALERTS): {
                "num_partitions": 1,
                "replication_factor": 1,
                "configs": {"max.message.bytes": "2000"},
            }
        }
    )
    admin.close()
    settings = rig.clients.settings.model_copy(
        update={"prefix": rig.clients.settings.prefix + "small."}
    )
    log = KafkaLog(settings, "test")
    with pytest.raises(TooLarge, match=r"message\.max\.bytes"):
        log.publish([Message(ALERTS, "k", os.urandom(3_000))])
    assert log.publish([Message(ALERTS, "k", b"small")])
    log.close()


def test_a_batch_that_expands_to_gigabytes_is_skipped_as_a_gap_and_takes_little_memory(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish(b"before")
    with monkeypatch.context() as patch:
        patch.setattr(default_records, "zstd_encode", lambda _records: bomb(1 << 30))
        rig.raw(lambda producer: producer.send(rig.topic, b"x" * 900_000, b"k", partition=0))
    rig.publish(b"after")
    inbox = rig.inbox()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with caplog.at_level(logging.ERROR):
        assert [record.value for record in drain(inbox, 2)] == [b"before", b"after"]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert inbox.gaps() == [Gap(WHERE, 1, 2)]
    assert "records that cannot be read were skipped" in caplog.messages
    assert grown * 1024 < 2 * LARGEST + (32 << 20)


def test_ten_thousand_headers_are_harmless(rig: Rig) -> None:
    headers = [(f"h{n}", b"v" * 50) for n in range(10_000)]
    rig.raw(lambda p: p.send(rig.topic, b"v", b"k", headers=headers, partition=0))
    rig.publish(b"after")
    inbox = rig.inbox()
    assert [record.value for record in drain(inbox, 2)] == [b"v", b"after"]
    assert not inbox.gaps()


def test_what_retention_took_before_it_was_read_is_an_exact_gap(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish(*(b"%d" % n for n in range(20)))
    inbox = rig.inbox()
    inbox.commit({WHERE: drain(inbox, 20)[3].offset + 1})
    inbox.close()
    rig.delete_before(11)
    inbox = rig.inbox()
    assert [record.offset for record in drain(inbox, 9)] == list(range(11, 20))
    assert inbox.gaps() == [Gap(WHERE, 4, 11)]
    assert inbox.gaps() == []
    assert "records lost to retention" in caplog.messages


def test_a_reader_meets_the_same_gap_and_goes_on_behind_it(rig: Rig) -> None:
    rig.publish(*(b"%d" % n for n in range(20)))
    rig.delete_before(11)
    reader = rig.log.reader()
    records, gap = reader.read(WHERE, 4)
    assert gap == Gap(WHERE, 4, 11)
    assert [record.offset for record in records] == list(range(11, 20))
    rig.delete_before(20)
    assert reader.read(WHERE, 4) == ([], Gap(WHERE, 4, 20))
    reader.close()


def test_a_group_that_never_committed_begins_at_the_begin_without_a_gap(rig: Rig) -> None:
    rig.publish(*(b"%d" % n for n in range(20)))
    rig.delete_before(11)
    inbox = rig.inbox()
    assert [record.offset for record in drain(inbox, 9)] == list(range(11, 20))
    assert inbox.gaps() == []


def test_a_topic_made_anew_under_a_running_inbox_is_read_from_its_begin(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publish(*(b"%d" % n for n in range(20)))
    inbox = rig.inbox()
    inbox.commit({WHERE: drain(inbox, 20)[-1].offset + 1})
    admin = rig.clients.admin()
    admin.delete_topics([rig.topic])
    ends = time.monotonic() + 30
    while rig.topic in admin.list_topics():
        assert time.monotonic() < ends
    admin.close()
    kafka_topics.create(rig.clients)
    rig.log.close()
    rig.log = KafkaLog(rig.clients.settings, "test")
    rig.publish(b"new")
    with caplog.at_level(logging.ERROR):
        [record] = drain(inbox, 1)
    assert (record.offset, record.value) == (0, b"new")
    assert inbox.gaps() == [Gap(WHERE, 20, 0)]
    assert any("made anew" in message for message in caplog.messages)


def test_members_with_short_polls_agree_and_lose_nothing(rig: Rig) -> None:
    rig.publish(*(b"%d" % n for n in range(100)))
    first = rig.inbox()
    drain(first, 100)
    second = rig.inbox()
    assert second.poll(0.02) == []
    first.close()
    seen: set[int] = set()
    ends = time.monotonic() + 30
    while len(seen) < 100:
        seen |= {record.offset for record in second.poll(0.02)}
        assert time.monotonic() < ends
    assert second.assigned() == {WHERE}


def test_a_wrong_address_is_away_within_seconds_and_leaves_nothing_behind() -> None:
    settings = KafkaSettings.model_validate({"bootstrap": f"127.0.0.1:{free_port()}"})
    log = KafkaLog(settings, "test")
    before = threading.active_count()
    assert took(lambda: log.publish([Message(ALERTS, "k", b"v")], timeout=1.0)) < 3
    assert took(lambda: log.inbox("g", [ALERTS])) < 13
    assert threading.active_count() == before
    log.close()


def test_who_accepts_and_never_answers_keeps_nobody_longer_than_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        log = KafkaLog(KafkaSettings.model_validate({"bootstrap": address}), "test")
        assert took(lambda: log.publish([Message(ALERTS, "k", b"v")], timeout=1.0)) < 3
        log.close()


# kafka-python leaves the closing of a connection that broke to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_freezes_is_away_for_all_and_everything_goes_on_after_the_thaw(
    tmp_path: Path,
) -> None:
    broker = Broker(tmp_path, jars())
    broker.start()
    rig = Rig(settings_for(broker, partitions=1))
    reader = rig.log.reader()
    try:
        rig.publish(b"before")
        inbox = rig.inbox()
        assert len(drain(inbox, 1)) == len(reader.read(WHERE, 0)[0]) == 1
        broker.freeze()
        message = [Message(ALERTS, "k", b"frozen")]
        assert took(lambda: rig.log.publish(message, timeout=1.0)) < 2
        with ThreadPoolExecutor() as pool:
            polling = pool.submit(took, lambda: [inbox.poll(1.0) for _ in range(30)])
            reading = pool.submit(took, lambda: reader.read(WHERE, 0))
            assert max(each.result(40) for each in (polling, reading)) < 30
        broker.thaw()
        rig.publish(b"after")
        values = []
        ends = time.monotonic() + 30
        while b"after" not in values:
            assert time.monotonic() < ends
            values += [record.value for record in inbox.poll(1.0)]
        assert reader.read(WHERE, 0)[0][-1].value == b"after"
        broker.freeze()
        began = time.monotonic()
        rig.close()
        assert time.monotonic() - began < 10
    finally:
        reader.close()
        broker.kill()
        gc.collect()


def bomb(value: int) -> bytes:
    """The compressed records of a batch with one record, whose value is that many zeros."""
    head = bytearray(b"\0\0\0\x01")
    encode_varint(value, head.append)
    start = bytearray()
    encode_varint(len(head) + value + 1, start.append)
    packer = cramjam.zstd.Compressor()
    packer.compress(bytes(start + head))
    for _ in range(value >> 20):
        packer.compress(bytes(1 << 20))
    packer.compress(b"\0")
    return bytes(packer.finish())
