"""`python -m ops.deploy.kafka`: a broker that outlives its shell, and ends when it is told to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.__main__ import running
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import create, problems
from tests.support.kafka import LIBS, jars

SETTING = "export TOCSIN__KAFKA__BOOTSTRAP="


def call(verb: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.deploy.kafka", verb]
    return subprocess.run(
        [*command, "--data", str(directory), "--libs", str(LIBS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=Path(__file__).parents[2],
    )


def test_a_broker_is_started_once_stopped_and_has_its_topics_again(tmp_path: Path) -> None:
    jars()
    directory = tmp_path / "kafka"
    try:
        clients = started(directory)
        create(clients)
        second = call("start", directory)
        assert second.returncode == 0, second.stderr
        assert clients.settings.bootstrap[0] in second.stderr
        stopped = call("stop", directory)
        assert stopped.returncode == 0, stopped.stderr
        assert running(directory) == 0
        assert problems(started(directory)) == []
    finally:
        assert call("stop", directory).returncode == 0
    assert call("stop", directory).returncode == 1


def started(directory: Path) -> Clients:
    ran = call("start", directory)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(SETTING)
    address = ran.stdout.strip().removeprefix(SETTING)
    return Clients(KafkaSettings.model_validate({"bootstrap": address}), "test")


@pytest.mark.parametrize(
    "pid",
    ["", "no number", str(os.getpid()), "999999999"],
    ids=["empty", "no number", "mine", "nobody"],
)
def test_a_pid_that_is_somebody_elses_is_no_broker(tmp_path: Path, pid: str) -> None:
    (tmp_path / "pid").write_text(pid)
    assert running(tmp_path) == 0
    assert call("stop", tmp_path).returncode == 1
