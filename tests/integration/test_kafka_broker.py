"""The native broker that everything about Kafka is tried on."""

from pathlib import Path

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker
from ops.transport.kafka_clients import Clients
from tests.support.kafka import jars, settings_for


def test_a_broker_keeps_its_topics_over_a_kill(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker", jars())
    broker.start()
    try:
        settings = settings_for(broker)
        _create(settings, "kept")
        broker.kill()
        broker.start()
        admin = Clients(settings, "test").admin()
        assert "kept" in admin.list_topics()
        admin.close()
    finally:
        broker.kill()


def _create(settings: KafkaSettings, name: str) -> None:
    admin = Clients(settings, "test").admin()
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
