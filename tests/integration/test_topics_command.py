"""`tocsin topics` against a real broker."""

import json
from pathlib import Path

import pytest

from ops.cli import main
from ops.config_kafka import KafkaSettings
from ops.transport import kafka_clients
from ops.transport.kafka_clients import Clients
from schemas.topics import METRICS
from tests.integration.test_kafka_topics import change


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kafka: KafkaSettings) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCSIN__KAFKA__BOOTSTRAP", ",".join(kafka.bootstrap))
    monkeypatch.setenv("TOCSIN__KAFKA__PREFIX", kafka.prefix)
    monkeypatch.setenv("TOCSIN__KAFKA__PARTITIONS", "2")


def test_topics_come_into_being_and_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topics", "list"]) == 0
    assert capsys.readouterr().out == "no topics\n"
    assert main(["topics", "check"]) == 1
    assert "tocsin.metrics: topic is missing" in capsys.readouterr().err
    assert main(["topics", "create"]) == 0
    assert "11 created, 0 were there" in capsys.readouterr().out
    assert main(["topics", "create"]) == 0
    assert "0 created, 11 were there" in capsys.readouterr().out
    assert main(["topics", "check"]) == 0
    assert main(["topics", "list"]) == 0
    text = capsys.readouterr().out
    assert "newest of each key" in text
    assert "720 h" in text
    assert main(["topics", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["topics"]) == 11


def test_create_changes_what_differs_only_with_alter(
    kafka: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["topics", "create"])
    change(Clients(kafka, "test"), METRICS, {"message.timestamp.type": "CreateTime"})
    assert main(["topics", "create"]) == 1
    assert "message.timestamp.type is CreateTime" in capsys.readouterr().err
    assert main(["topics", "check", "--json"]) == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["setting"], problem["breaks"]) == ("message.timestamp.type", True)
    assert main(["topics", "create", "--alter"]) == 0
    assert "message.timestamp.type is now LogAppendTime" in capsys.readouterr().out
    assert main(["topics", "check", "--json"]) == 0


def test_a_broker_that_is_away_is_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN__KAFKA__BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr(kafka_clients, "PATIENCE", 0.3)
    assert main(["topics", "list"]) == 3
    assert "127.0.0.1:9: Connection refused" in capsys.readouterr().err


def test_permissions_are_printed_for_a_known_worker(
    kafka: KafkaSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["topics", "acls", "agent", "--principal", "User:a b"]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert "--allow-principal 'User:a b' --operation Write --operation DescribeConfigs" in line
    assert line.endswith(f"--topic {kafka.prefix}{METRICS}")
    assert main(["topics", "acls", "bogus", "--principal", "User:x"]) == 2
    assert "is none of: agent, detector" in capsys.readouterr().err
