"""Detector workers over four partitions of a real Kafka: one sum, one alert, one of them dies."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.config_kafka import KafkaSettings
from ops.transport.keys import partition_of
from schemas.alerts import AlertBatch, AlertLevel
from schemas.gathered import Gathered, Marker
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from schemas.topics import ALERTS, GATHERED
from tests.support.build import metrics_message
from tests.support.kafka_pipeline import Pipeline
from tests.support.kafka_worker import Topics
from tests.support.tocsin_process import wall
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

RULES = """
groups:
  - name: jobs
    interval: 1s
    rules:
      - {record: "job:heat:sum", expr: sum by (job) (heat)}
      - {alert: TooHot, expr: "job:heat:sum > 300"}
      - {alert: Stays, expr: "count by (job) (heat) == 4"}
"""
ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
HOSTS = [
    next(f"host-{n}" for n in range(99) if partition_of(f"host-{n}", 4) == partition)
    for partition in range(4)
]


class Fleet:
    """A host on each partition."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self.topics = Topics(kafka)
        self.heat = 50.0
        self._sequence = 0

    def say(self) -> None:
        self._sequence += 1
        now = wall()
        for host in HOSTS:
            labels = labels_of({"__name__": "heat", "instance": host, "job": "web"})
            batch = metric_batch(host, [labels], [self.heat], [now])
            self.topics.log.publish([metrics_message(batch, now, self._sequence)])

    def levels(self, name: str) -> list[tuple[str, AlertLevel]]:
        return [
            (envelope.id, level)
            for envelope in self.topics.envelopes(ALERTS)
            if isinstance(envelope.event, AlertBatch)
            for level in envelope.event.alerts
            if level.labels["alertname"] == name
        ]

    def states(self, name: str) -> list[str]:
        return [str(level.state) for _, level in self.levels(name) if level.changed]

    def until(self, name: str, states: list[str], within: float) -> None:
        def reached() -> bool:
            self.say()
            time.sleep(0.3)  # the rest of the load is on the broker
            found = self.states(name)
            assert found == states, found
            return True

        eventually(reached, within)


@pytest.fixture
def fleet(kafka: KafkaSettings, tmp_path: Path) -> Iterator[tuple[Fleet, Pipeline]]:
    four = kafka.model_copy(update={"partitions": 4})
    with Pipeline(tmp_path / "home", four, rules=RULES, routes=ROUTES, history=False) as pipeline:
        pipeline.apply()
        made = Fleet(four)
        with made.topics:
            yield made, pipeline


def test_a_sum_over_four_partitions_fires_once_and_survives_a_killed_worker(
    fleet: tuple[Fleet, Pipeline],
) -> None:
    cluster, pipeline = fleet
    pipeline.start("detector-1", "detector-2")
    pipeline.ready()
    cluster.until("Stays", ["firing"], 60)
    assert cluster.states("TooHot") == []
    cluster.heat = 100.0
    cluster.until("TooHot", ["firing"], 30)
    assert cluster.levels("TooHot")[0][1].value == 400.0
    pipeline.workers["detector-1"].kill()
    cluster.heat = 10.0
    cluster.until("TooHot", ["firing", "resolved"], 90)
    assert cluster.levels("TooHot")[-1][1].value == 400.0
    assert cluster.states("Stays") == ["firing"], "nobody was missed"
    assert cluster.states("TocsinSourceSilent") == []
    ids = [
        envelope.id
        for topic, kinds in ((GATHERED, (Gathered, Marker)), (ALERTS, (AlertBatch,)))
        for envelope in cluster.topics.envelopes(topic)
        if isinstance(envelope.event, kinds)
    ]
    assert len(ids) == len(set(ids)), "a take-over says nothing twice"
    pipeline.stop()
