"""One storm through the router's fold: messages, CPU seconds and memory.

    python -m benchmarks.notify_storm [ALERTS]

Two shapes: one group for each name (`group_by: [alertname]`, 50 names), and one for each alert
(`group_by: ['...']`), both with `rate_limit: {messages: 10, per: 1m}`. All alerts fire within
100 s, in batches of 1,000; every delivery is answered at once; after ten minutes they resolve.
Durable state is written and read back, but to a dictionary: no disk, no log, no network. Python
looks for cycles as seldom as in a router's process.
"""

import sys
import time
from collections.abc import Iterator

import psutil

from notifiers.router import Router
from ops.garbage import collect_seldom
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.envelope import Envelope, Producer
from schemas.event import Event
from schemas.plans import Plan, WakeUp
from schemas.stage import Received

START = 1_700_000_000_000
BATCH = 1_000
PER_NAME = 2_000
ROUTES = """
route: {{receiver: hook, group_by: {by}, group_wait: 30s, group_interval: 5m}}
receivers:
- name: hook
  rate_limit: {{messages: 10, per: 1m}}
  webhook_configs: [{{url: 'http://x/'}}]
"""


class Storm:
    """A router on virtual time, and what it cost."""

    def __init__(self, by: str) -> None:
        self.router = Router()
        self.offset = 0
        self.now = START
        self.messages = 0
        self.told: set[str] = set()
        self.largest_step = 0
        self.written = 0
        self.seconds = 0.0
        self.slowest = 0.0
        self.state: dict[str, bytes] = {}
        content = ROUTES.format(by=by).encode()
        self.append(
            Plan(stage="router", number=1, digest="storm", piece=0, pieces=1, content=content)
        )

    def append(self, event: Event) -> None:
        """One record, and the receipts of what it led to."""
        pending = [event]
        while pending:
            envelope = Envelope("id", Producer("storm"), self.now, pending.pop(0))
            began = time.process_time()
            step = self.router.step([Received(self.offset, envelope)], self.now)
            took = time.process_time() - began
            self.seconds += took
            self.slowest = max(self.slowest, took)
            self.offset += 1
            size = 0
            for change in step.changes:
                if change.value is None:
                    self.state.pop(change.key, None)
                else:
                    self.state[change.key] = change.value
                    size += len(change.value)
            self.written += size
            self.largest_step = max(self.largest_step, size)
            for output in step.outputs:
                if isinstance(output.event, Delivery):
                    self.messages += 1
                    pending.append(delivered(output.event, self.now))

    def until(self, at: int) -> None:
        """Let time pass."""
        while (due := self.router.wake_at()) is not None and due <= at:
            self.now = max(self.now, due)
            self.append(WakeUp(stage="router", due=due))
        self.now = at

    def restart(self) -> float:
        """Begin again from what was written; the CPU seconds it took."""
        began = time.process_time()
        self.router = Router()
        for key, value in self.state.items():
            self.router.restore(key, value)
        self.router.wake_at()
        return time.process_time() - began


def delivered(delivery: Delivery, at: int) -> Receipt:
    """The courier's answer."""
    return Receipt(
        delivery=delivery.id,
        group_key=delivery.group_key,
        receiver=delivery.receiver,
        integration=delivery.integration,
        channel=delivery.channel,
        fate=Fate.DELIVERED,
        attempt=delivery.attempt,
        tries=1,
        at=at,
        duration=0.0,
    )


def batches(alerts: int, state: AlertState, now: int) -> Iterator[AlertBatch]:
    """All alerts in this state."""
    over = state is AlertState.RESOLVED
    for first in range(0, alerts, BATCH):
        levels = tuple(
            AlertLevel(
                labels={
                    "alertname": f"Alert{number // PER_NAME}",
                    "instance": f"host-{number}.example.org:9100",
                    "job": "node",
                    "severity": "critical" if number % 10 == 0 else "warning",
                },
                annotations={"summary": f"host-{number} is in trouble"},
                state=state,
                active_at=START,
                starts_at=START,
                ends_at=now if over else None,
            )
            for number in range(first, min(first + BATCH, alerts))
        )
        yield AlertBatch(source="rules", plan=1, decided_at=now, alerts=levels)


def run(by: str, alerts: int) -> None:
    """One shape; prints a line for each phase."""
    before = psutil.Process().memory_info().rss
    storm = Storm(by)
    for number, batch in enumerate(batches(alerts, AlertState.FIRING, START)):
        storm.until(START + number * 1_000)
        storm.append(batch)
    show(storm, by, "arrived", before)
    storm.until(START + 600_000)
    show(storm, by, "told", before)
    print(f"{by:>14} restart: {storm.restart():.2f} CPU s")
    for number, batch in enumerate(batches(alerts, AlertState.RESOLVED, START + 600_000)):
        storm.until(START + 600_000 + number * 1_000)
        storm.append(batch)
    storm.until(START + 1_800_000)
    show(storm, by, "resolved", before)
    print(f"{by:>14} groups left: {len(storm.router.groups())}")


def show(storm: Storm, by: str, phase: str, before: int) -> None:
    """What it cost so far."""
    grown = (psutil.Process().memory_info().rss - before) / 2**20
    print(
        f"{by:>14} {phase:>9}: {storm.messages:>4} messages, {storm.seconds:7.2f} CPU s, "
        f"slowest step {storm.slowest:6.2f} s, {grown:6.0f} MiB, "
        f"written {storm.written / 2**20:7.0f} MiB, "
        f"largest step {storm.largest_step / 2**20:6.1f} MiB"
    )


if __name__ == "__main__":
    collect_seldom()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for shape in ("[alertname]", "['...']"):
        run(shape, count)
