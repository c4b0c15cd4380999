"""Samples per CPU-second through `tocsin detector`: one worker, and two that share the work."""

import time

from benchmarks.detector import HOSTS, INTERVAL, PER_HOST, batches, plan_records, rules
from benchmarks.figures import Result, rate
from benchmarks.kafka.backlog import backlog
from benchmarks.kafka.running import Worker, place, wait
from ops.deploy.kafka.broker import Broker

AIM = "≥ 700,000"


def read(
    made: Broker, partitions: int, workers: int, hosts: int, minutes: float
) -> tuple[float, float, int]:
    """CPU and wall seconds of this many detectors over a backlog, and its samples."""
    start = time.time_ns() // 1_000_000
    records = list(batches(minutes, start + 1_000, hosts))
    with place(made, partitions) as here, backlog(here.clients, partitions) as hidden:
        hidden.show(plan_records(start, rules()))
        hidden.hide(records)
        started = [here.worker("detector") for _ in range(workers)]
        wait(lambda: _dealt(started, partitions), "detectors ready")
        cpu = sum(worker.cpu for worker in started)
        began = time.monotonic()
        hidden.reveal()
        end = start + int(minutes * 60_000) - INTERVAL
        wait(lambda: all(worker.has_read(end) for worker in started), "backlog read")
        wall = time.monotonic() - began
        spent = sum(worker.cpu for worker in started) - cpu
    return spent, wall, len(records) * PER_HOST


def _dealt(workers: list[Worker], partitions: int) -> bool:
    owned = [worker.figure("partitions") for worker in workers]
    return (
        all(worker.ready and worker.figure("plan") == 1 for worker in workers)
        and sum(owned) == partitions
        and 0 not in owned
    )


def run(made: Broker, quick: bool) -> Result:
    """500-sample batches, 20 rules every 15 s, published beforehand."""
    result = Result("Detector on Faust: 500-sample batches, 20 rules every 15 s")
    less = 0.1 if quick else 1.0
    places = [(1, 1, HOSTS, 60.0), (8, 1, 8 * HOSTS, 10.0), (8, 2, 8 * HOSTS, 10.0)]
    if not quick:
        places.insert(1, (8, 1, HOSTS, 60.0))
    for partitions, workers, hosts, minutes in places:
        cpu, wall, samples = read(made, partitions, workers, hosts, minutes * less)
        name = f"{workers} × {partitions // workers} partitions, {hosts * PER_HOST:,} series: "
        aim = AIM if partitions == 1 else ""
        result.add(name + "samples per CPU-second", rate(samples, cpu), aim)
        result.add(name + "samples per second of wall", rate(samples, wall))
    return result
