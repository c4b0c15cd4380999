"""The fleet's turns, published: numbered like an agent's batches, and counted once acknowledged."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from collectors.batches import Sealer
from collectors.retry import backoff
from ops.load.fleet import Fleet
from ops.load.latency import Latency
from ops.load.pace import Pace, Turn
from schemas.envelope import Envelope
from schemas.errors import LogAway
from schemas.metrics import MetricBatch
from schemas.stage import Message, Publish
from schemas.topics import CODEC, METRICS

log = logging.getLogger("tocsin.load")

TOGETHER = 200
"""Turns that are published together, when that many are due; as an agent's group."""
TIMEOUT = 5.0
GRACE = 15.0
"""Seconds after the end for which a log that is away is still tried."""


@dataclass
class Count:
    """What came of it.

    `acknowledged` batches are in the log; of `unsure` ones nobody knows. `missed` turns were never
    made, for want of time. Latencies in seconds.
    """

    epoch: int
    acknowledged: int = 0
    samples: int = 0
    unsure: int = 0
    missed: int = 0
    failures: int = 0
    seconds: float = 0.0
    latest: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    last: dict[str, int] = field(default_factory=dict)
    """The sequence number of each producer's last acknowledged batch."""

    @property
    def fine(self) -> bool:
        """Whether all that was planned until the end is in the log."""
        return not self.unsure and not self.missed

    def as_json(self) -> dict[str, Any]:
        """As an object of JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Clocks:
    """`monotonic` in seconds, `wall` in ms since 1970; `wait` sleeps, and tells of an end."""

    monotonic: Callable[[], float]
    wall: Callable[[], int]
    wait: Callable[[float], bool]


class Load:
    """Publishes a fleet at its pace, in the thread that calls `run`."""

    def __init__(self, fleet: Fleet, pace: Pace, publish: Publish, clocks: Clocks) -> None:
        self._fleet = fleet
        self._pace = pace
        self._publish = publish
        self._clocks = clocks
        self._epoch = clocks.wall()
        self._began = clocks.monotonic()
        self._sealers = [Sealer(host.name, self._epoch) for host in fleet.hosts]
        self._latency = Latency()
        self.count = Count(self._epoch)

    def run(self) -> Count:
        """Until the last turn is acknowledged, or an end is asked for.

        Raises `Refused` when the log will never take what it is given.
        """
        pace, count, ended = self._pace, self.count, False
        while not ended and not pace.done:
            turns = pace.take(self._x(), TOGETHER)
            if turns:
                ended = not self._send(turns) or self._clocks.wait(0.0)
            elif not pace.done:
                ended = self._clocks.wait(max(0.0, pace.due - self._x()))
        count.seconds = self._x()
        count.missed, count.latest = pace.missed, pace.latest
        count.p50, count.p99 = self._latency.quantile(0.5), self._latency.quantile(0.99)
        return count

    def _send(self, turns: list[Turn]) -> bool:
        """Publish until it is acknowledged; False when the end came first."""
        sealed = [envelope for turn in turns for envelope in self._sealed(turn)]
        failures = 0
        while True:
            began = self._clocks.monotonic()
            try:
                self._publish.publish(self._messages(sealed), TIMEOUT)
            except LogAway as fault:
                failures += 1
                self.count.failures += 1
                if failures == 1:
                    log.warning("log is away, trying again", extra={"why": str(fault)})
                late = self._x() > self._pace.length + GRACE
                if late or self._clocks.wait(backoff(failures, 0.5)):
                    self.count.unsure += len(sealed)
                    return False
                continue
            self._latency.add(self._clocks.monotonic() - began, len(sealed))
            self._acknowledged(sealed)
            return True

    def _sealed(self, turn: Turn) -> list[Envelope]:
        at = self._epoch + round(turn.x * 1_000)
        batches = self._fleet.batches(turn.host, turn.x, at)
        return [self._sealers[turn.host].seal(batch) for batch in batches]

    def _messages(self, sealed: list[Envelope]) -> list[Message]:
        now = self._clocks.wall()
        return [
            Message(METRICS, each.producer.name, CODEC.encode(each._replace(sent_at=now)))
            for each in sealed
        ]

    def _acknowledged(self, sealed: list[Envelope]) -> None:
        count = self.count
        for each in sealed:
            assert isinstance(each.event, MetricBatch)
            count.acknowledged += 1
            count.samples += each.event.count
            count.last[each.producer.name] = each.producer.sequence

    def _x(self) -> float:
        return self._clocks.monotonic() - self._began
