"""Fixtures of the laws."""

import pytest

from ops.deploy.kafka.broker import Broker
from tests.support.kafka import settings_for
from tests.support.kafka_runtime import on_kafka
from tests.support.runtimes import RUNTIMES, Make


@pytest.fixture
def kafka_runtime(broker: Broker) -> Make:
    """Transactions on a real broker; a play takes seconds, so laws try fewer of them there."""
    return on_kafka(lambda: settings_for(broker))


@pytest.fixture(params=RUNTIMES, ids=lambda kind: kind.__name__)
def quick_runtime(request: pytest.FixtureRequest) -> Make:
    """Every runtime that needs no server."""
    made: Make = request.param
    return made


@pytest.fixture(params=[*RUNTIMES, "OnKafka"], ids=lambda kind: getattr(kind, "__name__", kind))
def runtime(request: pytest.FixtureRequest) -> Make:
    """Every runtime; that on Kafka skips where there is no broker."""
    if request.param == "OnKafka":
        found: Make = request.getfixturevalue("kafka_runtime")
        return found
    made: Make = request.param
    return made
