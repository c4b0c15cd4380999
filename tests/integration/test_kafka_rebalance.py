"""A driver while its group deals the partitions out anew: it goes on, and takes nothing back."""

import threading
from collections.abc import Iterator

import pytest

from ops.config_kafka import KafkaSettings
from ops.runtime.driver import Driver
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_reader import KafkaReader
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.kafka_topics import create
from ops.transport.stage_log import Stale
from processors.detector import Detector
from schemas.errors import LogAway
from schemas.stage import Partition, Record
from schemas.topics import METRICS
from tests.support.build import metrics_message, samples
from tests.support.kafka_stills import Checkpoints
from tests.support.tocsin_process import wall

HERE = Partition(METRICS, 0)


class Owner:
    """A driver of the one partition, without a thread."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.feed = Feed()
        self.log = KafkaStageLog(Clients(kafka, "owner"), self.feed)
        self.driver = Driver(self.log, Detector, 0, commit_within=0.0)

    def close(self) -> None:
        self.driver.close()
        self.log.close()


class Scene:
    """A topic of one partition, and what is on it."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka.model_copy(update={"partitions": 1})
        create(Clients(self.kafka, "test"))
        self.log = KafkaLog(self.kafka, "test")
        self.states = Checkpoints(self.kafka, "detector")
        self.owners: list[Owner] = []

    def owner(self) -> Owner:
        self.owners.append(Owner(self.kafka))
        return self.owners[-1]

    def publish(self) -> None:
        now = wall()
        self.log.publish([metrics_message(samples("a", {"x": 1.0}, now), now)])

    def records(self) -> list[Record]:
        reader = KafkaReader(Clients(self.kafka, "test"))
        try:
            return reader.read(HERE, 0)[0]
        finally:
            reader.close()


@pytest.fixture
def scene(kafka: KafkaSettings) -> Iterator[Scene]:
    made = Scene(kafka)
    yield made
    for owner in made.owners:
        owner.close()
    made.log.close()


def test_a_driver_whose_feed_is_adrift_reads_on_by_itself(scene: Scene) -> None:
    owner = scene.owner()
    scene.publish()
    owner.feed.put(scene.records())
    assert owner.driver.turn()
    scene.publish()
    assert not owner.driver.turn()
    owner.feed.cast_off()
    assert owner.driver.turn()
    scene.publish()
    owner.feed.land()
    assert owner.driver.turn()
    # The group's consumer brings it all again, and more.
    scene.publish()
    owner.feed.put(scene.records())
    assert owner.driver.turn()
    owner.driver.turn()
    assert scene.states.next(0) == 4
    assert len(owner.feed.take(0, 10, 1 << 20)) == 0


def test_who_was_fenced_claims_nothing_before_the_group_has_said_whose_it_is(scene: Scene) -> None:
    zombie = scene.owner()
    successor = scene.owner()
    scene.publish()
    records = scene.records()
    zombie.feed.put(records)
    with pytest.raises(LogAway, match="another worker may have"):
        zombie.driver.turn()
    zombie.feed.cast_off()
    with pytest.raises(LogAway, match="the group has yet to say"):
        zombie.driver.turn()
    successor.feed.put(records)
    assert successor.driver.turn()
    assert scene.states.next(0) == 1
    zombie.feed.land()
    with pytest.raises(Stale, match="another worker has committed"):
        zombie.driver.turn()


def test_who_ends_after_it_was_fenced_leaves_the_partition_to_its_owner(scene: Scene) -> None:
    zombie = scene.owner()
    successor = scene.owner()
    scene.publish()
    records = scene.records()
    zombie.feed.put(records)
    with pytest.raises(LogAway):
        zombie.driver.turn()
    stop = threading.Event()
    stop.set()
    zombie.driver.run(stop)
    successor.feed.put(records)
    assert successor.driver.turn()
    assert scene.states.next(0) == 1
