"""The router's fold of what a detector announces: bytes decoded as the runtime does, then steps."""

import time

from benchmarks.figures import spending
from notifiers.router import Router
from ops.runtime.intake import decoded, encoded
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.plan_pieces import cut
from schemas.stage import Output, Partition, Record
from schemas.topics import ALERTS

ROUTES = """
route: {receiver: nobody, group_by: [service], group_wait: 30s, repeat_interval: 24h}
receivers: [{name: nobody}]
"""
ALERT_COUNT, TOGETHER, SERVICES, AGAIN = 10_000, 500, 100, 5
MINUTE = 60_000


def bus() -> dict[str, float]:
    """Levels per CPU-second: new, announced again unchanged, changed (new texts), resolved."""
    start = time.time_ns() // 1_000_000
    fold = _Fold(start)
    fold.take([_record(piece, start) for piece in cut("router", 1, ROUTES.encode())], start)
    figures = {}
    at = start
    for what, rounds in (("new", 1), ("unchanged", AGAIN), ("changed", 2), ("resolved", 1)):
        batches = []
        for number in range(rounds):
            at += MINUTE
            batches += _batches(what, number, start, at)
        with spending() as spent:
            for record in batches:
                fold.take([record], record.appended_at)
        figures[f"bus, {what}"] = rounds * ALERT_COUNT / spent.cpu
    return figures


class _Fold:
    """A router, driven as the runtime drives it, but for the log."""

    def __init__(self, start: int) -> None:
        self.router, self.offset = Router(), 0

    def take(self, records: list[Record], now: int) -> None:
        """Decode, step, encode what comes out."""
        numbered = []
        for one in records:
            numbered.append(Record(one.partition, self.offset, now, one.key, one.value))
            self.offset += 1
        received, letters = decoded("router", numbered, now)
        if letters:
            raise RuntimeError(f"undecodable: {letters[0].event}")
        step = self.router.step(received, now)
        for output in step.outputs:
            encoded(output, "router/0", now)


def _batches(what: str, number: int, start: int, at: int) -> list[Record]:
    found = []
    for first in range(0, ALERT_COUNT, TOGETHER):
        levels = tuple(_level(n, what, number, start, at) for n in range(first, first + TOGETHER))
        batch = AlertBatch(source=f"g{first}", plan=1, decided_at=at, alerts=levels)
        found.append(_record(batch, at))
    return found


def _level(which: int, what: str, number: int, start: int, at: int) -> AlertLevel:
    over = what == "resolved"
    said = f"changed {number}" if what == "changed" else "as ever"
    return AlertLevel(
        labels={
            "alertname": "Hot",
            "instance": f"host-{which:05d}",
            "job": "node",
            "region": "eu",
            "service": f"s{which % SERVICES}",
            "severity": "page",
            "team": "web",
            "zone": "a",
        },
        annotations={"summary": f"host-{which:05d} is hot: {said}"},
        state=AlertState.RESOLVED if over else AlertState.FIRING,
        active_at=start,
        starts_at=start,
        ends_at=at if over else None,
        value=1.0,
        changed=what != "unchanged",
    )


def _record(event: AlertBatch | object, at: int) -> Record:
    output = Output(ALERTS, "default", f"bench/{at}", event)  # type: ignore[arg-type]
    message = encoded(output, "bench", at)
    return Record(Partition(ALERTS, 0), 0, at, message.key, message.value)
