"""Samples per CPU-second through the embedded log, in 500-sample batches."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.detector import PER_HOST, records
from benchmarks.figures import Result, rate, spending
from ops.transport.log_clock import wall
from ops.transport.sqlite_log import SqliteLog
from schemas.stage import Message
from schemas.topics import METRICS

TOGETHER = 100
"""Batches in one publication: what a drained spool or a fleet behind one server comes to."""


def run(minutes: float = 20.0) -> Result:
    """Append, durable, then read back."""
    messages = [Message(METRICS, record.key, record.value) for record in records(minutes)]
    samples = len(messages) * PER_HOST
    result = Result("Log: SQLite, synchronous=FULL, 500-sample batches")
    with TemporaryDirectory(dir=".") as directory:
        log = SqliteLog(Path(directory) / "log", wall)
        with spending() as appending:
            for at in range(0, len(messages), TOGETHER):
                log.publish(messages[at : at + TOGETHER])
        inbox = log.inbox("bench", [METRICS])
        with spending() as reading:
            left = len(messages)
            while left:
                left -= len(inbox.poll(1.0, 500))
        single = messages[:1_000]
        before = log.commits
        with spending() as alone:
            for message in single:
                log.publish([message])
        commits = log.commits - before
        inbox.close()
        log.close()
    result.add("appended, samples per CPU-second", rate(samples, appending.cpu), "≥ 2,000,000")
    result.add("appended and read, samples per CPU-second",
               rate(samples, appending.cpu + reading.cpu), "≥ 2,000,000")  # fmt: skip
    result.add("appended, samples per second of wall", rate(samples, appending.wall))
    result.add(
        "one batch a publication, samples per CPU-second",
        rate(len(single) * PER_HOST, alone.cpu),
    )
    result.add("one batch a publication, durable commits per second", rate(commits, alone.wall))
    return result
