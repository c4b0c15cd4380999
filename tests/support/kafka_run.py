"""The whole pipeline on Kafka under the oracle's load, and the proof of its promises after it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.config_kafka import KafkaSettings
from ops.transport.kafka_log import KafkaLog
from tests.support import promises
from tests.support.history_rows import Rows
from tests.support.kafka_pipeline import Pipeline
from tests.support.oracle import ROUTES, RULES, Oracle
from tests.support.waiting import eventually
from tests.support.webhook import Webhook


class Run:
    """Everything runs, under load."""

    def __init__(
        self, pipeline: Pipeline, receiver: Webhook, kafka: KafkaSettings, hold: tuple[float, float]
    ) -> None:
        self.pipeline = pipeline
        self.receiver = receiver
        self.oracle = Oracle(KafkaLog(kafka, "oracle"), hosts=6, hold=hold)
        self.kills = 0

    def begin(self, workers: Sequence[str]) -> None:
        self.pipeline.apply()
        self.pipeline.start(*workers)
        self.pipeline.ready()
        self.oracle.start()
        self.pages_go_on(30)

    def pages_go_on(self, within: float) -> float:
        """Wait until a life of every host, born from now on, was told; how long that took."""
        began, known = time.monotonic(), len(self.oracle.lives)
        hosts = {life.host for life in self.oracle.lives} or {"host-0"}

        def told() -> bool:
            assert self.oracle.fault is None, self.oracle.fault
            names = self.receiver.told("life", "firing")
            fresh = {life.host for life in self.oracle.lives[known:] if life.name in names}
            assert hosts <= fresh, f"no page of {sorted(hosts - fresh)}"
            return True

        eventually(told, within)
        return time.monotonic() - began

    def end(self) -> promises.Proof:
        self.oracle.finish(120)
        promises.everybody_was_told(self.oracle, self.receiver, 120)
        promises.everything_was_attempted(self.pipeline.log, self.receiver, 120)
        with Rows(self.pipeline.home / "data", self.pipeline.log) as rows:
            rows.caught_up(120)
            rows.check_samples(self.oracle)
            rows.check_records()
        self.pipeline.stop()
        return promises.check(self.pipeline.log, self.oracle, self.receiver, self.kills)


@contextmanager
def running(
    home: Path,
    kafka: KafkaSettings,
    workers: Sequence[str],
    hold: tuple[float, float] = (1.0, 2.5),
) -> Iterator[Run]:
    """From the start of these workers on; `hold` is how long (s) alerts live."""
    with (
        Webhook() as receiver,
        Pipeline(
            home,
            kafka,
            rules=RULES,
            routes=ROUTES.format(url=receiver.url),
            config={"evaluation_interval": "500ms"},
        ) as pipeline,
    ):
        run = Run(pipeline, receiver, kafka, hold)
        try:
            run.begin(workers)
            yield run
        except BaseException:
            run.oracle.abandon()
            raise
