"""Rows per CPU-second through `tocsin historian`, the engine's CPU included."""

import time

from benchmarks.detector import PER_HOST, batches
from benchmarks.figures import Result, cpu_of, rate
from benchmarks.kafka.backlog import backlog
from benchmarks.kafka.running import place, wait
from ops.deploy.kafka.broker import Broker
from ops.history.child import HistoryChild
from ops.history.clickhouse import History

PARTITIONS = 8


def run(made: Broker, quick: bool) -> Result:
    """The history child stands in for a server."""
    start = time.time_ns() // 1_000_000
    records = list(batches(2.0 if quick else 20.0, start))
    samples = len(records) * PER_HOST
    with place(made, PARTITIONS) as here:
        child = HistoryChild(here.home / "history")
        child.start()
        history = History(lambda: child.address)
        try:
            if not child.wait_ready(60) or child.pid is None:
                raise RuntimeError(f"history did not start: {child.fault}")
            at = child.address
            url = f"http://{at.host}:{at.port}"
            here.configure(history={"url": url, "user": at.user, "password": at.token})
            historian = here.worker("historian")
            with backlog(here.clients, PARTITIONS) as hidden:
                hidden.hide(records)
                wait(lambda: historian.ready, "historian ready")
                ours, engine = historian.cpu, cpu_of(child.pid)
                began = time.monotonic()
                hidden.reveal()
                wait(lambda: _stored(history) >= samples, "rows stored")
                wall = time.monotonic() - began
                ours, engine = historian.cpu - ours, cpu_of(child.pid) - engine
                if _stored(history) != samples:
                    raise RuntimeError(f"{_stored(history)} rows stored of {samples}")
        finally:
            here.stop()
            history.close()
            child.stop()
    result = Result("Historian on Kafka: topics to ClickHouse's engine (chdb child)")
    result.add("samples per CPU-second, ours and the engine's", rate(samples, ours + engine))
    result.add("CPU of ours / of the engine, s", f"{ours:.2f} / {engine:.2f}")
    result.add("samples per second of wall", rate(samples, wall))
    return result


def _stored(history: History) -> int:
    return int(history.rows("SELECT count() FROM samples")[0][0])
