"""From a sample's publication to the webhook's receipt, with a fleet's samples beside it.

One batch an instance each ten seconds; now and then one of them breaches a rule within its
instance, whose route has `group_wait: 0s`. Everything goes over HTTP through a `tocsin up`.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.detect.table import Row
from benchmarks.figures import cpu_of, quantile
from benchmarks.latency import ROUTES, Receiver, receiver
from benchmarks.running import tocsin_up
from schemas.envelope import Envelope, Producer
from schemas.labels import Labels
from schemas.metrics import metric_batch
from schemas.series import pack_series
from schemas.stage import Message, Publish
from schemas.topics import CODEC, METRICS

INSTANCES, METRICS_EACH, DEVICES = 1_000, 20, 5
INTERVAL = 10.0
WARM = 25.0
"""Seconds: two rounds and a half, so that every instance is known."""
GOAL_P99 = 250.0
HOT = 1e6


def rules() -> str:
    """Twenty rules within an instance, over all series; the first is the one that is breached."""
    exprs = [
        f"metric_{n} >= {HOT:g}" if n % 2 == 0 else f"avg_over_time(metric_{n}[1m]) >= {HOT:g}"
        for n in range(METRICS_EACH)
    ]
    lines = [f'      - {{alert: A{n}, expr: "{expr}"}}' for n, expr in enumerate(exprs)]
    return "\n".join(["groups:", "  - name: g", "    rules:", *lines]) + "\n"


def series(instance: str) -> list[Labels]:
    """A hundred series: twenty metrics of five devices."""
    return [
        (("__name__", f"metric_{n % METRICS_EACH}"), ("device", f"d{n // METRICS_EACH}"),
         ("instance", instance))
        for n in range(METRICS_EACH * DEVICES)
    ]  # fmt: skip


@dataclass
class Fleet:
    """Instances that send in turn, evenly over the interval, until told to stop."""

    publish: Publish
    blocks: list[bytes] = field(default_factory=list)
    sequence: int = 0
    behind: float = 0.0
    """Seconds by which the slowest batch was late."""

    def __post_init__(self) -> None:
        self.blocks = [pack_series(series(f"i{n}")) for n in range(INSTANCES)]

    def send(self, seconds: float, breached: dict[int, float], chance: float) -> None:
        """Send for some time; with some chance a batch breaches, and when it was sent is kept."""
        dice = random.Random(1)
        begin = time.perf_counter()
        for number in range(int(seconds * INSTANCES / INTERVAL)):
            due = begin + number * INTERVAL / INSTANCES
            now = time.perf_counter()
            time.sleep(max(0.0, due - now))
            self.behind = max(self.behind, now - due)
            instance = number % INSTANCES
            # Batches go out each 10 ms: without this, at ten phases of the 100 ms alone.
            fresh = instance not in breached and dice.random() < chance
            if fresh:
                time.sleep(dice.uniform(0.0, INTERVAL / INSTANCES))
                breached[instance] = time.perf_counter()
            self._send_one(instance, instance in breached)

    def _send_one(self, instance: int, hot: bool) -> None:
        self.sequence += 1
        name, at = f"i{instance}", time.time_ns() // 1_000_000
        values = [float((n * 7 + self.sequence) % 100) for n in range(METRICS_EACH * DEVICES)]
        if hot:
            values[0] = HOT
        batch = metric_batch(name, self.blocks[instance], values, [at])
        sealed = Envelope(f"{name}/{self.sequence}", Producer(name, 1, self.sequence), at, batch)
        self.publish.publish([Message(METRICS, name, CODEC.encode(sealed))])


def measured(pages: Receiver, seconds: float) -> tuple[list[float], float, float]:
    """Milliseconds of every breach, the share of a core that all of Tocsin took, the delay."""
    with TemporaryDirectory(dir=".") as name:
        routes = ROUTES.format(port=pages.server_address[1])
        only = ("--only", "detector,router,courier,console")
        with tocsin_up(Path(name), rules(), routes, *only, interval="15s") as up:
            fleet = Fleet(up.publish)
            fleet.send(WARM, {}, 0.0)
            fleet.behind = 0.0
            breached: dict[int, float] = {}
            cpu, begin = cpu_of(up.pid), time.perf_counter()
            fleet.send(seconds, breached, 0.1)
            share = (cpu_of(up.pid) - cpu) / (time.perf_counter() - begin)
            wanted = {f"i{number}" for number in breached}
            with pages.more:
                if not pages.more.wait_for(lambda: wanted <= pages.came.keys(), 30):
                    raise RuntimeError(f"{len(pages.came)} pages of {len(wanted)} came")
    took = [(pages.came[f"i{number}"] - at) * 1_000 for number, at in breached.items()]
    return took, share, fleet.behind


def run(_: Path | None, __: bool, seconds: float = 40.0) -> Iterator[Row]:
    """Rows without a peer: Prometheus waits for its evaluation interval."""
    with receiver() as pages:
        took, share, behind = measured(pages, seconds)
    size = f"{INSTANCES * METRICS_EACH * DEVICES:,} series, one batch an instance each 10 s"
    p99 = quantile(took, 0.99)
    verdict = "met" if p99 <= GOAL_P99 else "missed"
    yield Row(f"publication to webhook, p50; {size}", "ms", None, quantile(took, 0.5))
    yield Row("publication to webhook, p99", "ms", None, p99, note=f"≤ {GOAL_P99:g} ms: {verdict}")
    yield Row("publication to webhook, the longest", "ms", None, max(took))
    yield Row("breaches; the sender was late by at most (ms)", "", None, len(took),
              note=f"{behind * 1_000:,.0f} ms")  # fmt: skip
    yield Row("CPU of all of `tocsin up` meanwhile", "cores", None, share)
