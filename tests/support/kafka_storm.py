"""A rebalance storm: one detector comes and goes, well behaved or killed, while two others work."""

import time
from collections.abc import Callable
from pathlib import Path

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_log import KafkaLog
from schemas.alerts import AlertBatch, AlertState
from schemas.topics import ALERTS, METRICS
from tests.support.kafka_fold import announcements
from tests.support.kafka_pipeline import Pipeline
from tests.support.kafka_stills import Checkpoints
from tests.support.oracle import RULES, Oracle
from tests.support.tocsin_process import wall
from tests.support.waiting import eventually

NO_ROUTES = "{route: {receiver: nobody}, receivers: [{name: nobody}]}"
EVERY = 3.0
"""Seconds between comings and goings."""
STEADY = ("detector-1", "detector-2")
GUEST = "detector-3"


def storm(home: Path, kafka: KafkaSettings, lasts: float, say: Callable[[str], None]) -> None:
    """Raises AssertionError where a record was skipped, or something else was said than in peace.

    Says how long partitions stood still.
    """
    oracle = Oracle(KafkaLog(kafka, "oracle"), hosts=8, hold=(1.0, 2.5))
    with Pipeline(
        home,
        kafka,
        rules=RULES,
        routes=NO_ROUTES,
        config={"evaluation_interval": "500ms"},
        history=False,
    ) as pipeline:
        pipeline.apply()
        pipeline.start(*STEADY)
        pipeline.ready()
        oracle.start()
        try:
            began = wall()
            moves = _comings_and_goings(pipeline, oracle, lasts)
            ended = wall()
            pipeline.ready(*STEADY)
            oracle.finish(60)
        except BaseException:
            oracle.abandon()
            raise
        states = Checkpoints(kafka, "detector")
        eventually(lambda: _read_to_the_end(pipeline, states), 60, "checkpoints at the end")
        _lived_once(pipeline, oracle)
        pipeline.stop()
    found, wanted = announcements(pipeline.log)
    assert found == wanted, f"missing {wanted - found}, more {found - wanted}"
    stills = sorted(pause for pauses in states.stills(began, ended).values() for pause in pauses)
    share = sum(stills) / ((ended - began) * kafka.partitions)
    middle, longest = (stills[len(stills) // 2], stills[-1]) if stills else (0, 0)
    say(
        f"{moves} comings and goings in {lasts:g} s, {len(oracle.lives)} lives, "
        f"{sum(found.values())} announcements: partitions stood still {len(stills)} times, "
        f"{middle} ms in the middle, {longest} ms at most, {share:.0%} of the time"
    )


def _comings_and_goings(pipeline: Pipeline, oracle: Oracle, lasts: float) -> int:
    moves, began = 0, time.monotonic()
    while time.monotonic() - began < lasts:
        guest = pipeline.workers.get(GUEST)
        if guest is None or not guest.running:
            pipeline.start(GUEST)
        elif moves % 4 == 1:
            # On a busy machine it may not have got as far as to listen to signals.
            assert guest.stop() == 0 or not guest.said, guest.tail()
        else:
            guest.kill()
        moves += 1
        assert oracle.fault is None, oracle.fault
        for name in STEADY:
            assert pipeline.workers[name].running, pipeline.workers[name].tail()
        # Not a wait for something: what a storm is.
        time.sleep(max(0.0, began + moves * EVERY - time.monotonic()))
    if pipeline.workers[GUEST].running:
        pipeline.workers[GUEST].kill()
    return moves


def _read_to_the_end(pipeline: Pipeline, states: Checkpoints) -> bool:
    """Every record that there was is below the checkpoint; wake-ups go on being appended."""
    ends = {n: end for (topic, n), end in pipeline.log.ends().items() if topic == METRICS}
    left = {n: (states.next(n), end) for n, end in ends.items()}

    def passed() -> bool:
        for number, (_, end) in left.items():
            assert states.next(number) >= end, f"partition {number}: {left[number]}"
        return True

    return eventually(passed, 30)


def _lived_once(pipeline: Pipeline, oracle: Oracle) -> None:
    """Every life has one beginning and one end in the alerts topic, under one id each."""
    told: dict[str, list[tuple[AlertState, int]]] = {life.name: [] for life in oracle.lives}
    for batch in pipeline.log.events(ALERTS, AlertBatch):
        for level in batch.alerts:
            if level.changed:
                told[level.labels["life"]].append((level.state, level.active_at))
    for name, changes in told.items():
        states = [state for state, _ in changes]
        assert states == [AlertState.FIRING, AlertState.RESOLVED], (name, changes)
        assert len({active for _, active in changes}) == 1, (name, changes)
