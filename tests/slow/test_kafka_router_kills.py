"""A router on Kafka is killed in the midst of a commit, at each of its boundaries."""

from pathlib import Path

import pytest

from ops.deploy.kafka.broker import Broker
from tests.support.kafka import settings_for
from tests.support.kafka_run import running
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PARTITIONS = 2
SESSION = 6.0
BOUNDARIES = ("outputs-sent", "state-sent", "offset-sent")


def test_a_router_is_killed_at_each_boundary_of_its_commit(tmp_path: Path, broker: Broker) -> None:
    kafka = settings_for(broker, partitions=PARTITIONS, session_timeout=f"{SESSION:g}s")
    workers = ("detector-1", "router-1", "courier-1", "historian-1")
    with running(tmp_path / "home", kafka, workers) as run:
        for number, point in enumerate(BOUNDARIES, start=2):
            assert run.pipeline.workers[f"router-{number - 1}"].stop() == 0
            dies = f"router-{number}"
            run.pipeline.start(dies, crash_at=f"router.{point}:20")
            worker = run.pipeline.workers[dies]
            eventually(lambda worker=worker: not worker.running, 60, worker.tail)
            assert worker.ended() == -9, worker.tail()
            run.pipeline.start(dies)
            took = run.pages_go_on(SESSION + 20)
            print(f"router killed at {point}: pages of every host after {took:.1f} s")
            run.pipeline.ready(dies)
        # It decides again what it had not committed, under the same ids: no attempt is repeated.
        print(run.end())
