"""Samples per CPU-second through the historian into ClickHouse, the engine's CPU included."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.detector import PER_HOST, records
from benchmarks.figures import Result, cpu_of, rate, rss_of, spending
from ops.history.child import HistoryChild
from ops.history.clickhouse import History
from ops.history.migrations import migrate
from ops.history.writer import Writer
from ops.runtime.historian import TOPICS_KEPT, Historian
from ops.transport.sqlite_log import SqliteLog
from schemas.stage import Message
from schemas.topics import METRICS


def run(minutes: float = 20.0) -> Result:
    """From the log's records to rows stored, in blocks of 50,000."""
    stream = records(minutes)
    samples = (len(stream) - 1) * PER_HOST
    result = Result("Historian: log to ClickHouse's engine (chdb child), merges included")
    with TemporaryDirectory(dir=".") as directory:
        # The log's clock is the recording's: by today's, every producer's would be years behind.
        now = [stream[0].appended_at]
        log = SqliteLog(Path(directory) / "log", lambda: now[0])
        for record in stream:
            now[0] = record.appended_at
            log.publish([Message(METRICS, record.key, record.value)])
        child = HistoryChild(Path(directory) / "history")
        child.start()
        if not child.wait_ready(60) or child.pid is None:
            raise RuntimeError(f"history did not start: {child.fault}")
        history = History(lambda: child.address)
        try:
            migrate(history, 3_650)
            before = cpu_of(child.pid)
            inbox = log.inbox("historian", TOPICS_KEPT)
            historian = Historian(
                inbox, log, Writer(history), 1 << 52, lambda _point: None, clock=lambda: 0.0
            )
            with spending() as spent:
                while historian.turn(0.0):
                    pass
                historian.flush()
            engine = cpu_of(child.pid) - before
            stored = history.rows("SELECT count() FROM samples")[0][0]
            if stored != samples:
                raise RuntimeError(f"{stored} rows stored of {samples}")
            result.add(
                "samples per CPU-second, ours and the engine's",
                rate(samples, spent.cpu + engine),
                "≥ 300,000",
            )
            result.add("CPU of ours / of the engine, s", f"{spent.cpu:.2f} / {engine:.2f}")
            result.add("samples per second of wall", rate(samples, spent.wall))
            result.add("memory of the child, MiB", f"{rss_of(child.pid):.0f}")
            inbox.close()
        finally:
            history.close()
            child.stop()
            log.close()
    return result
