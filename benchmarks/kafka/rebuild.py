"""How long a detector takes to fill its windows again, with 100,000 series."""

import time

from benchmarks.detector import PER_HOST, batches, plan_records, rules
from benchmarks.figures import Result, rss_of
from benchmarks.kafka.backlog import backlog
from benchmarks.kafka.running import Worker, place, wait
from ops.deploy.kafka.broker import Broker

PARTITIONS = 8
MINUTES = 17.0
"""More than a worker reads back: the windows, how late a sample may be, ten minutes of a clock."""


def run(made: Broker, quick: bool) -> Result:
    """One worker over eight partitions, started again; the same on empty topics is taken off."""
    hosts = 10 if quick else 200
    start = time.time_ns() // 1_000_000
    records = list(batches(MINUTES, start + 1_000, hosts))
    with place(made, PARTITIONS) as here, backlog(here.clients, PARTITIONS) as hidden:
        hidden.show(plan_records(start, rules()))
        first = here.worker("detector")
        wait(lambda: first.ready and first.figure("plan") == 1, "detector ready")
        first.stop()
        empty_cpu, empty_wall, _ = _again(here.worker("detector"))
        hidden.hide(records)
        hidden.reveal()
        reader = here.worker("detector")
        end = start + int(MINUTES * 60_000) - 20_000
        wait(lambda: reader.has_read(end), "backlog read")
        reader.stop()
        cpu, wall, worker = _again(here.worker("detector"), keep=True)
        samples = len(records) * PER_HOST
        result = Result(f"Rebuilding windows: {hosts * PER_HOST:,} series, {PARTITIONS} partitions")
        result.add("start to ready, s", f"{wall:.1f}")
        result.add("of which it takes on empty topics, s", f"{empty_wall:.1f}")
        result.add("slowest partition's loading, s", f"{worker.figure('rebuild_seconds'):.1f}")
        result.add("CPU, less that on empty topics, s", f"{cpu - empty_cpu:.1f}")
        result.add("samples read back, million, at most", f"{samples / 1e6:.1f}")
        result.add("memory afterwards, MiB", f"{rss_of(worker.pid):.0f}")
    return result


def _again(worker: Worker, keep: bool = False) -> tuple[float, float, Worker]:
    """CPU and wall seconds until it is ready."""
    began = time.monotonic()
    wait(lambda: worker.ready and worker.figure("plan") == 1, "detector ready again")
    cpu, wall = worker.cpu, time.monotonic() - began
    if not keep:
        worker.stop()
    return cpu, wall, worker
