"""The pipeline on Kafka loses one of each worker, then its broker, and keeps every promise."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.deploy.kafka.broker import Broker
from tests.support import kafka_run
from tests.support.kafka import jars, settings_for
from tests.support.kafka_run import Run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WORKERS = (
    *("detector-1", "detector-2", "router-1", "router-2", "courier-1", "courier-2"),
    *("historian-1", "console-1"),
)
SESSION = 6.0
AWAY = 60.0


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that this test may hurt."""
    made = Broker(tmp_path / "broker", jars())
    made.start()
    yield made
    made.kill()


@pytest.fixture
def running(tmp_path: Path, own_broker: Broker, request: pytest.FixtureRequest) -> Iterator[Run]:
    kafka = settings_for(own_broker, partitions=4, session_timeout=f"{SESSION:g}s")
    hold = getattr(request, "param", (1.0, 2.5))
    with kafka_run.running(tmp_path / "home", kafka, WORKERS, hold) as run:
        yield run


def test_one_of_each_is_killed_in_turn(running: Run) -> None:
    workers = running.pipeline.workers
    for name in ("detector-1", "router-1", "router-2", "courier-1", "historian-1", "console-1"):
        workers[name].kill()
        running.kills += 1
        took = running.pages_go_on(60)
        print(f"{name} killed: pages of every host after {took:.1f} s")
        running.pipeline.start(name)
        running.pipeline.ready(name)
    print(running.end())


def test_the_broker_is_killed_and_comes_back(running: Run, own_broker: Broker) -> None:
    own_broker.kill()
    own_broker.start()
    took = running.pages_go_on(90)
    print(f"broker killed: pages of every host after {took:.1f} s")
    running.kills += 1
    print(running.end())


# After a gap of a minute the detector listens for half a minute before it decides (ADR 6): what
# is hot for a shorter time then is told to nobody, as designed.
@pytest.mark.parametrize("running", [(35.0, 40.0)], indirect=True)
def test_the_broker_is_away_for_a_minute(running: Run, own_broker: Broker) -> None:
    own_broker.kill()
    time.sleep(AWAY)  # not a wait for something: how long it is away
    own_broker.start()
    took = running.pages_go_on(120)
    print(f"broker away for {AWAY:g} s: pages of every host after {took:.1f} s")
    running.kills += 1
    print(running.end())
