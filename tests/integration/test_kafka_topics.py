"""Tocsin's topics on a real broker."""

import logging

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import (
    alter,
    check_at_start,
    create,
    found,
    listed,
    problems,
    wanted,
)
from schemas.errors import Refused
from schemas.topics import HEALTH, METRICS, checkpoints
from tests.support.waiting import eventually


@pytest.fixture
def clients(kafka: KafkaSettings) -> Clients:
    return Clients(kafka.model_copy(update={"partitions": 2}), "test")


def test_topics_are_created_once_and_as_wanted(clients: Clients) -> None:
    names = {clients.named(name) for name in wanted(clients.settings)}
    first, second = create(clients), create(clients)
    assert set(first.created) == names
    assert first.there == ()
    assert second.created == ()
    assert set(second.there) == names
    assert {each.name for each in listed(clients)} == names
    assert problems(clients) == []
    check_at_start(clients)


def test_what_differs_is_said_and_altered(clients: Clients) -> None:
    create(clients)
    change(clients, METRICS, {"message.timestamp.type": "CreateTime", "retention.ms": "1000"})
    text = "\n".join(problems(clients))
    named = clients.named(METRICS)
    assert f"{named}: message.timestamp.type is CreateTime, not LogAppendTime: run: " in text
    assert f"{named}: retention.ms is 1000, not 21600000 or more: run: " in text
    create(clients)
    assert len(problems(clients)) == 2
    assert len(alter(clients)) == 2
    assert problems(clients) == []


def test_partitions_are_added_and_never_taken_away(clients: Clients) -> None:
    create(clients)
    wider = Clients(clients.settings.model_copy(update={"partitions": 3}), "test")
    assert any(
        "partitions is 2, not 3: set kafka.partitions: 2" in text for text in problems(wider)
    )
    assert any("keys moved" in text for text in alter(wider))
    assert problems(wider) == []
    assert {found(wider)[name].partitions for name in (METRICS, checkpoints("detector"))} == {3}
    assert any("keeps its 3 partitions" in text for text in alter(clients))


def test_partitions_are_not_added_under_a_running_detector(clients: Clients) -> None:
    create(clients)
    consumer = clients.consumer(
        group_id=clients.named("tocsin.detector"), auto_offset_reset="earliest"
    )
    consumer.subscribe([clients.named(METRICS)])
    eventually(lambda: consumer.poll(timeout_ms=100) or consumer.assignment())
    wider = Clients(clients.settings.model_copy(update={"partitions": 3}), "test")
    with pytest.raises(Refused, match=r"detectors run on 127\.0\.0\.1: stop them"):
        alter(wider)
    consumer.close()
    assert any("keys moved" in text for text in alter(wider))


def test_a_worker_starts_with_a_warning_and_not_with_wrong_decisions(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Refused, match=r"tocsin\.health: topic is missing"):
        check_at_start(clients, [HEALTH])
    create(clients)
    change(clients, HEALTH, {"compression.type": "gzip"})
    with caplog.at_level(logging.WARNING, "ops"):
        check_at_start(clients, [HEALTH])
    assert "compression.type is gzip" in vars(caplog.records[0])["why"]
    change(clients, METRICS, {"message.timestamp.type": "CreateTime"})
    with pytest.raises(Refused, match=r"metrics: message\.timestamp\.type is CreateTime"):
        check_at_start(clients)
    check_at_start(clients, [HEALTH])


def test_a_checkpoint_narrower_than_its_input_is_refused(clients: Clients) -> None:
    create(clients)
    admin = clients.admin()
    admin.create_partitions({clients.named(METRICS): 4})
    admin.close()
    eventually(lambda: found(clients, [METRICS])[METRICS].partitions == 4)
    with pytest.raises(Refused, match=r"checkpoints\.detector: partitions is 2, not 4"):
        check_at_start(clients)


def test_a_cluster_that_cannot_says_why(clients: Clients) -> None:
    many = Clients(clients.settings.model_copy(update={"replication": 3}), "test")
    with pytest.raises(Refused, match=r"the cluster does not make it: .*[Rr]eplication"):
        create(many)
    assert listed(clients) == []


def change(clients: Clients, name: str, configs: dict[str, str]) -> None:
    """As somebody else would; comes back once the broker shows it."""
    admin = clients.admin()
    resource = ConfigResource(ConfigResourceType.TOPIC, clients.named(name), configs)
    admin.alter_configs([resource], raise_on_unknown=False)
    admin.close()
    eventually(lambda: not configs.items() - found(clients, [name])[name].configs.items())
