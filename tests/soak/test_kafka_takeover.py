"""How soon others decide when a worker is killed."""

import time
from pathlib import Path

import psutil
import pytest

from ops.deploy.kafka.broker import Broker
from schemas.topics import METRICS
from tests.support import kafka_masses
from tests.support.kafka import settings_for
from tests.support.kafka_pipeline import Pipeline
from tests.support.kafka_run import running
from tests.support.kafka_stills import Checkpoints
from tests.support.kafka_storm import NO_ROUTES
from tests.support.tocsin_process import wall
from tests.support.waiting import eventually

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

PARTITIONS = 4
SESSION = 6.0
NOISE = 5.0
"""Seconds that a busy machine may add."""


def taken_over(states: Checkpoints, since: int, numbers: list[int], within: float) -> float:
    """Wait until all these partitions have committed after the kill; after how many seconds."""

    def first() -> list[int]:
        found = [[at for at in states.commits(number) if at > since] for number in numbers]
        assert all(found), [len(each) for each in found]
        return [each[0] for each in found]

    return (max(eventually(first, within)) - since) / 1_000


def test_a_killed_detector_and_a_killed_router_are_replaced_within_their_session(
    tmp_path: Path, broker: Broker
) -> None:
    kafka = settings_for(broker, partitions=PARTITIONS, session_timeout=f"{SESSION:g}s")
    workers = ("detector-1", "detector-2", "router-1", "router-2", "courier-1", "historian-1")
    with running(tmp_path / "home", kafka, workers) as run:
        for stage in ("detector", "router"):
            states = Checkpoints(kafka, stage)
            worker = max(
                (run.pipeline.workers[f"{stage}-{number}"] for number in (1, 2)),
                key=lambda each: _figures(each.health(), each.stage)["commits"],
            )
            figures = _figures(worker.health(), stage)
            owned = [int(name[4:]) for name in figures if name.startswith("lag:")]
            busy = [number for number in owned if len(states.commits(number)) > 5]
            worker.kill()
            took = taken_over(states, wall(), busy, 60)
            pages = run.pages_go_on(60)
            print(
                f"{stage} killed: decides again after {took:.1f} s; all pages {pages:.1f} s later"
            )
            assert took <= SESSION + 2.0 + NOISE
        print(run.end())


def _figures(health: dict[str, object], stage: str) -> dict[str, float]:
    stages = health["stages"]
    assert isinstance(stages, list)
    found: dict[str, float] = next(each["figures"] for each in stages if each["name"] == stage)
    return found


def test_a_hundred_thousand_series_are_taken_over_in_time(tmp_path: Path, broker: Broker) -> None:
    kafka = settings_for(broker, partitions=PARTITIONS, session_timeout=f"{SESSION:g}s")
    with Pipeline(
        tmp_path / "home",
        kafka,
        rules=kafka_masses.RULES,
        routes=NO_ROUTES,
        config={"evaluation_interval": "1s"},
        history=False,
    ) as pipeline:
        pipeline.apply()
        pipeline.start("detector-1")
        pipeline.ready()
        began = time.monotonic()
        samples = kafka_masses.publish(kafka, 200, 30)
        print(f"{samples:,} samples published in {time.monotonic() - began:.1f} s")
        states = Checkpoints(kafka, "detector")
        ends = {n: end for (topic, n), end in pipeline.log.ends().items() if topic == METRICS}
        eventually(lambda: all(states.next(n) >= end for n, end in ends.items()), 60)
        pipeline.workers["detector-1"].kill()
        killed = wall()
        pipeline.start("detector-2")
        took = taken_over(states, killed, list(range(PARTITIONS)), 90)
        figures = _figures(pipeline.workers["detector-2"].health(), "detector")
        cpu = sum(psutil.Process(pipeline.workers["detector-2"].pid).cpu_times()[:2])
        print(
            f"{samples:,} samples of 100,000 series: all partitions decide after {took:.1f} s, "
            f"the slowest loaded for {figures['rebuild_seconds']:.1f} s, "
            f"{cpu:.1f} s of CPU since the start of Python"
        )
        assert took <= 45.0
