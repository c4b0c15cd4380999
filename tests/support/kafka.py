"""One real broker for all tests of a run; each test has topics of its own behind a prefix."""

import fcntl
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker, fetch, missing

LIBS = Path(__file__).parents[2] / ".kafka" / "libs"
_numbers = itertools.count(1)


def jars() -> Path:
    """Kafka's jars; skips the test where they cannot be had, and fails it in CI."""
    why = missing()
    if why:
        if os.environ.get("CI"):
            pytest.fail(f"Kafka cannot run in CI: {why}")
        pytest.skip(why)
    LIBS.mkdir(parents=True, exist_ok=True)
    with (LIBS.parent / "fetching").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # workers of one run do not fetch beside each other
        fetch(LIBS)
    return LIBS


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that no test stops; who wants to hurt one starts its own."""
    made = Broker(tmp_path_factory.mktemp("kafka"), jars())
    made.start()
    yield made
    made.kill()


@pytest.fixture
def kafka(broker: Broker) -> KafkaSettings:
    """Settings for a test of its own: nothing of another test is behind this prefix."""
    return settings_for(broker)


def settings_for(broker: Broker, **more: object) -> KafkaSettings:
    """Settings for this broker, with a prefix that nobody else has."""
    prefix = f"t{os.getpid()}-{next(_numbers)}."
    given = {"bootstrap": broker.address, "prefix": prefix, "session_timeout": "6s"}
    return KafkaSettings.model_validate(given | more)
