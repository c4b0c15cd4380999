"""`tocsin check --live` beside a real broker."""

import json
from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from ops.cli.command_line import main
from ops.config_kafka import KafkaSettings
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import create
from tests.support.waiting import eventually


def written(home: Path, kafka: KafkaSettings, **more: object) -> str:
    """A configuration for this cluster."""
    file = home / "tocsin.yaml"
    said = {"bootstrap": list(kafka.bootstrap), "prefix": kafka.prefix, "partitions": 2}
    file.write_text(json.dumps({"kafka": said | more}))
    return str(file)


def test_topics_as_they_are_wanted_are_no_problem(
    tmp_path: Path, kafka: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, kafka)
    assert main(["check", "--live", "--config", file]) == 2
    assert "topic is missing, not there: run: tocsin topics create" in capsys.readouterr().err
    create(Clients(kafka.model_copy(update={"partitions": 2}), "test"))
    assert main(["check", "--live", "--config", file]) == 0


def test_what_differs_is_told_with_topic_and_setting(
    tmp_path: Path, kafka: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    clients = Clients(kafka.model_copy(update={"partitions": 2}), "test")
    create(clients)
    topic = clients.named("tocsin.metrics")
    wrong = {"message.timestamp.type": "CreateTime"}
    admin = clients.admin()
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, wrong)])
    finally:
        admin.close()
    file = written(tmp_path, kafka, replication=3, min_in_sync=2)

    def problems() -> list[dict[str, str]]:
        """What is told, once the broker itself has heard of the change."""
        assert main(["check", "--live", "--json", "--config", file]) == 2
        told = json.loads(capsys.readouterr().out)["problems"]
        changed = "message.timestamp.type is CreateTime, not LogAppendTime"
        return told if any(each["message"] == changed for each in told) else []

    found = eventually(problems, 20)
    told = [each["message"] for each in found if each["key"] == topic]
    assert "replication factor is 1, not 3 or more" in told
    assert "min.insync.replicas is 1, not 2" in " ".join(told)
    assert all(each["source"] == f"Kafka at {kafka.bootstrap[0]}" for each in found)
