"""Workers that sleep past their session in the midst of a commit, and wake up as zombies."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from ops.deploy.kafka.broker import Broker
from schemas.topics import METRICS
from tests.support.kafka import settings_for
from tests.support.kafka_fold import announcements
from tests.support.kafka_pipeline import WorkerProcess
from tests.support.kafka_run import Run, running
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PARTITIONS = 4
SESSION = 6.0


def test_one_of_each_sleeps_with_work_under_way(tmp_path: Path, broker: Broker) -> None:
    kafka = settings_for(broker, partitions=PARTITIONS, session_timeout=f"{SESSION:g}s")
    workers = ("detector-2", "router-2", "courier-2", "historian-2")
    with running(tmp_path / "home", kafka, workers) as run:
        detector = sleeps(run, "detector", "offset-sent:30")
        wakes(run, detector)
        its_successor_is_killed(run, "detector")
        router = sleeps(run, "router", "offset-sent:20")
        wakes(run, router)
        its_successor_is_killed(run, "router")
        courier = sleeps(run, "courier", "after-send:10")
        wakes(run, courier)
        works_alone(run, "courier")
        historian = sleeps(run, "historian", "before-insert:20")
        caught_up(run)
        wakes(run, historian)
        works_alone(run, "historian")
        run.kills = 1  # the courier's sleep; nobody else's may repeat an attempt
        print(run.end())
        found, wanted = announcements(run.pipeline.log)
        assert found == wanted, f"missing {wanted - found}, more {found - wanted}"


def sleeps(run: Run, stage: str, point: str) -> WorkerProcess:
    """Number 1 takes the work over, stops itself at the point, and loses it to number 2."""
    assert run.pipeline.workers[f"{stage}-2"].stop() == 0
    run.pipeline.start(f"{stage}-1", crash_at=f"{stage}.{point}:stop")
    worker = run.pipeline.workers[f"{stage}-1"]
    process = psutil.Process(worker.pid)
    eventually(lambda: process.status() == psutil.STATUS_STOPPED, 60, worker.tail)
    run.pipeline.start(f"{stage}-2")
    took = run.pages_go_on(SESSION + 20)
    print(f"{stage} asleep at {point}: pages of every host after {took:.1f} s")
    run.pipeline.ready(f"{stage}-2")
    return worker


def wakes(run: Run, zombie: WorkerProcess) -> None:
    """Let it go on, and wait until it is a member with work again."""
    began = time.monotonic()
    zombie.signal(signal.SIGCONT)

    def works() -> bool:
        assert zombie.running, zombie.tail()
        stage = next(s for s in zombie.health()["stages"] if s["name"] == zombie.stage)
        assert stage["ready"], stage
        figures = stage["figures"]
        return "partitions" not in figures or 1 <= figures["partitions"] < PARTITIONS

    eventually(works, 30, zombie.tail)
    took = time.monotonic() - began
    run.pages_go_on(30)
    print(f"{zombie.stage} awake: shares the work after {took:.1f} s")


def its_successor_is_killed(run: Run, stage: str) -> None:
    """A third one recovers what the successor wrote, if the zombie left it whole."""
    run.pipeline.start(f"{stage}-3")
    run.pipeline.ready(f"{stage}-3")
    run.pipeline.workers[f"{stage}-2"].kill()
    took = run.pages_go_on(SESSION + 20)
    print(f"the {stage}'s successor killed: pages of every host after {took:.1f} s")


def works_alone(run: Run, stage: str) -> None:
    """Its successor leaves in good order; what comes from now on is the zombie's alone."""
    assert run.pipeline.workers[f"{stage}-2"].stop() == 0
    run.pages_go_on(30)


def caught_up(run: Run) -> None:
    """Wait until its successor has written past what the zombie holds."""
    now = {where: end for where, end in run.pipeline.log.ends().items() if where[0] == METRICS}

    def passed() -> bool:
        done = run.pipeline.log.committed("historian")
        return all(done.get(where, 0) >= end for where, end in now.items())

    eventually(passed, 60)
