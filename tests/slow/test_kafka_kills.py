"""The pipeline on Kafka loses one of each worker, then its broker, and keeps every promise."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker
from ops.transport.kafka_log import KafkaLog
from tests.support import promises
from tests.support.history_rows import Rows
from tests.support.kafka import jars, settings_for
from tests.support.kafka_pipeline import Pipeline
from tests.support.oracle import ROUTES, RULES, Oracle
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

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


class Run:
    """Everything runs, under load."""

    def __init__(self, pipeline: Pipeline, receiver: Webhook, kafka: KafkaSettings) -> None:
        self.pipeline = pipeline
        self.receiver = receiver
        self.oracle = Oracle(KafkaLog(kafka, "oracle"), hosts=6, hold=(1.0, 2.5))
        self.kills = 0

    def begin(self) -> None:
        self.pipeline.apply()
        self.pipeline.start(*WORKERS)
        self.pipeline.ready()
        self.oracle.start()
        self.pages_go_on(30)

    def pages_go_on(self, within: float) -> float:
        """Wait until a life of every host, born from now on, was told; how long that took."""
        began, known = time.monotonic(), len(self.oracle.lives)
        hosts = {life.host for life in self.oracle.lives} or {"host-0"}

        def told() -> bool:
            assert self.oracle.fault is None, self.oracle.fault
            names = self.receiver.told("life", "firing")
            fresh = {life.host for life in self.oracle.lives[known:] if life.name in names}
            assert hosts <= fresh, f"no page of {sorted(hosts - fresh)}"
            return True

        eventually(told, within)
        return time.monotonic() - began

    def end(self) -> promises.Proof:
        self.oracle.finish(120)
        promises.everybody_was_told(self.oracle, self.receiver, 120)
        with Rows(self.pipeline.home / "data", self.pipeline.log) as rows:
            rows.caught_up(120)
            rows.check_samples(self.oracle)
            rows.check_records()
        self.pipeline.stop()
        return promises.check(self.pipeline.log, self.oracle, self.receiver, self.kills)


@pytest.fixture
def running(tmp_path: Path, own_broker: Broker) -> Iterator[Run]:
    kafka = settings_for(own_broker, partitions=4, session_timeout=f"{SESSION:g}s")
    with (
        Webhook() as receiver,
        Pipeline(
            tmp_path / "home",
            kafka,
            rules=RULES,
            routes=ROUTES.format(url=receiver.url),
            config={"evaluation_interval": "500ms"},
        ) as pipeline,
    ):
        run = Run(pipeline, receiver, kafka)
        run.begin()
        try:
            yield run
        except BaseException:
            run.oracle.abandon()
            raise


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


def test_the_broker_is_away_for_a_minute(running: Run, own_broker: Broker) -> None:
    own_broker.kill()
    time.sleep(AWAY)  # not a wait for something: how long it is away
    own_broker.start()
    took = running.pages_go_on(90)
    print(f"broker away for {AWAY:g} s: pages of every host after {took:.1f} s")
    running.kills += 1
    print(running.end())
