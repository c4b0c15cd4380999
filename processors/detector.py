"""The detector: metric batches in, alert levels and recorded samples out.

Instant T sees every record appended up to T, so it is evaluated when the first record after T is
read. After the log stood still for a minute nobody owned the partition: nothing is decided about
that time, alerts stand as they are, and evaluation goes on half a minute later, when agents have
spoken again.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import ormsgpack

from processors.arrival import EVERY, Arrived
from processors.evaluator import Decided, Evaluator
from processors.gathering import PREFIX as SENT
from processors.gathering import Gathering, Origin
from processors.partials.checkpoint import PREFIX as PARTIALS
from processors.partials.spans import LATENESS, RAW_REACH
from processors.partials.store import Partials
from processors.producers import PREFIX as PRODUCER
from processors.producers import SKEW_WINDOW, Producers
from processors.requests import request_of
from processors.windows import Windows
from schemas.envelope import Envelope
from schemas.errors import Undecodable
from schemas.metrics import MetricBatch
from schemas.plans import Plan
from schemas.stage import Received, StateChange, Step
from schemas.topics import METRICS

STOOD_STILL = 60_000
RESUME_AFTER = 30_000
HEARTBEAT = 30_000
"""ms between wake-ups at the most, so that a gap of `STOOD_STILL` means that nobody was there."""
RESUME = "resume"
CLOCK = "clock"
CLOCK_EVERY = 60_000


class Detector:
    """A stage over one partition of the metrics topic; see `schemas.stage.Stage`."""

    name = "detector"
    topic = METRICS

    def __init__(self, source: int = 0, sources: int = 1) -> None:
        """Over partition `source` of `sources`: where there are several, groups that span
        instances are sent what they select (ADR 10)."""
        self._place = source, sources
        alone = sources == 1
        self._evaluator = Evaluator(self.name, lambda spans: alone or not spans)
        self._gathering = Gathering((), {})
        self._sent: dict[str, str] = {}
        self._next_offset = 0
        self._windows = Windows(())
        self._partials = Partials()
        self._producers = Producers()
        self._now = 0
        self._told_now = 0
        self._arrives_at = 0
        """The arrival instant of what the windows have news of."""
        self._read_at = 0
        """The newest record that the windows know; `_now` may come from the checkpoint alone."""
        self._resume_at = 0
        self._counts: Counter[str] = Counter()

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint."""
        if key.startswith(PRODUCER):
            self._producers.restore(key, value)
        elif key == RESUME:
            self._resume_at = ormsgpack.unpackb(value)
        elif key.startswith(SENT):
            self._sent[key.removeprefix(SENT)] = value.decode()
        elif key.startswith(PARTIALS):
            self._partials.restore(key, value)
        elif key == CLOCK:
            self._now = self._told_now = ormsgpack.unpackb(value)
        else:
            self._evaluator.restore(key, value)

    def begin_again(self) -> list[StateChange]:
        """Batches are still recognised by their numbers; by offsets no more."""
        return self._producers.begin_again()

    def reach(self) -> int:
        """The longest window, and the time it takes to know a producer's clock."""
        self._settle()
        if not self._works:
            return 0
        longest = max((use.reach_ms for use in self._evaluator.uses()), default=0)
        longest = max(longest, self._gathering.reach)
        if self._partials.fresh:
            # Ranges that nobody kept until now begin with as much as may be read.
            longest = max(longest, RAW_REACH)
        return longest + LATENESS + SKEW_WINDOW

    def rebuild(self, batch: Sequence[Received], now: int) -> None:
        """Fill the windows."""
        self._turn_to(now)
        self._gathering.pass_to(now)
        self._partials.close(self._windows, now)
        for received in batch:
            event = received.envelope.event
            self._next_offset = received.offset + 1
            if isinstance(event, MetricBatch) and self._producers.rebuilds(received.envelope):
                self._keep(received.envelope, event, now)
        self._now = self._read_at = max(self._now, now)
        self._counts.clear()

    def step(self, batch: Sequence[Received], now: int) -> Step:
        """Evaluate what is due before `now`, then take the records."""
        self._settle()
        decided = Decided()
        if self._evaluator.refuses:
            decided.counts["without a plan"] += 1
        if self._now and now > self._now:
            self._evaluate(now, decided)
        self._now = self._read_at = max(self._now, now)
        self._turn_to(now)
        self._partials.close(self._windows, now)
        reload = False
        for received in batch:
            event = received.envelope.event
            self._next_offset = received.offset + 1
            if isinstance(event, MetricBatch):
                if self._producers.repeats(received.envelope, received.offset, now):
                    self._counts["repeated batch"] += 1
                else:
                    self._keep(received.envelope, event, now)
            elif isinstance(event, Plan) and self._evaluator.switch(event, now, decided):
                self._windows = self._new_windows()
                self._gathering = self._new_gathering()
                decided.changes += self._forget_sent()
                reload = True
        decided.changes += self._partials.changes()
        decided.changes += self._producers.changes(now)
        if now - self._told_now >= CLOCK_EVERY and self._works:
            # Last, for a replay that meets it takes everything before it as decided.
            self._told_now = now
            decided.changes.append(StateChange(CLOCK, ormsgpack.packb(now)))
        decided.counts.update(self._windows.dropped())
        decided.counts.update(self._partials.dropped())
        decided.counts.update(self._counts)
        self._counts.clear()
        return Step(decided.outputs, decided.changes, decided.counts, reload)

    def wake_at(self) -> int | None:
        """Just after the next instant of any group, or of what has arrived."""
        self._settle()
        start = max(self._now, self._resume_at)
        instants = self._evaluator.next_instant(start), self._gathering.next_instant(start)
        due = min((each for each in instants if each is not None), default=None)
        if self._windows.news and due is not None and self._arrives_at >= start:
            due = min(due, self._arrives_at)
        return None if due is None else min(due + 1, self._now + HEARTBEAT)

    @property
    def plan_number(self) -> int:
        """The number of the plan in force; 0 before the first."""
        return self._evaluator.number

    @property
    def series(self) -> int:
        """How many series the windows hold."""
        return len(self._windows)

    @property
    def window_bytes(self) -> int:
        """Bytes of the windows, partials included."""
        return self._windows.nbytes + self._partials.nbytes

    def _keep(self, envelope: Envelope, batch: MetricBatch, now: int) -> None:
        """Put a batch into the windows, under corrected times, without what is too late."""
        shift = self._producers.shift(envelope, now)
        if shift:
            self._counts["clock corrected"] += batch.count
        raw = np.frombuffer(batch.times, "<i8")
        times = np.minimum(raw + shift, now)
        ahead = int((raw + shift > now + 1_000).sum())
        if ahead:
            self._counts["from the future"] += ahead * (batch.count if len(raw) == 1 else 1)
        on_time = times > now - LATENESS
        self._counts["samples"] += batch.count
        try:
            if on_time.all():
                self._counts["selected"] += self._windows.add(batch, times, now)
                self._gathering.take(batch, times)
                return
            late = np.flatnonzero(~on_time)
            self._counts["late"] += batch.count if len(times) == 1 else len(late)
            if len(times) > 1:
                chosen = np.flatnonzero(on_time)
                self._counts["selected"] += self._windows.only(batch, chosen, times[chosen], now)
                self._gathering.take(batch, times, chosen)
        except Undecodable:
            # The codec cannot see into the block; the historian buries the same record.
            self._counts["bad columns"] += 1

    def _evaluate(self, now: int, decided: Decided) -> None:
        """What is due before `now`."""
        start = max(self._now, self._resume_at)
        arrived = Arrived(self._arrives_at, self._windows.news)
        if now - self._now <= STOOD_STILL or not self._works:
            self._evaluator.evaluate(self._windows, start, now, decided, arrived=arrived)
            self._send(start, now, decided)
            return
        if self._read_at == self._now:
            self._evaluator.evaluate(self._windows, start, now, decided, True, arrived)
            self._send(start, now, decided, once=True)
        self._resume_at = now + RESUME_AFTER
        self._counts["stood still"] += 1
        decided.changes.append(StateChange(RESUME, ormsgpack.packb(self._resume_at)))

    def _send(self, start: int, end: int, decided: Decided, once: bool = False) -> None:
        """To the groups that span instances, what they select, with markers."""
        origin = Origin(*self._place, self._next_offset, self._evaluator.number)
        outputs, changes = self._gathering.send(start, end, once, origin)
        decided.outputs += outputs
        decided.changes += changes
        if outputs:
            decided.counts["sent on"] += len(outputs)

    @property
    def _works(self) -> bool:
        """Whether there is anything to decide, or to send on."""
        return bool(self._evaluator.groups or self._gathering)

    def _turn_to(self, now: int) -> None:
        """Samples appended at `now` are seen by the next arrival instant, earlier ones no more."""
        at = -(-now // EVERY) * EVERY
        if at != self._arrives_at:
            self._arrives_at = at
            self._windows.news.clear()

    def _new_windows(self) -> Windows:
        evaluator = self._evaluator
        limits = evaluator.plan.limits
        windows = Windows(evaluator.uses(), limits, evaluator.arriving())
        windows.partials = self._partials
        self._partials.adopt(evaluator.long_uses(), evaluator.number, limits.partial_bytes)
        return windows

    def _new_gathering(self) -> Gathering:
        return Gathering(map(request_of, self._evaluator.elsewhere), self._sent)

    def _forget_sent(self) -> list[StateChange]:
        """What groups were sent that are gone: if they come back, they are sent everything."""
        kept = {each.name for each in self._evaluator.elsewhere}
        gone = [group for group in self._sent if group not in kept]
        for group in gone:
            del self._sent[group]
        return [StateChange(SENT + group, None) for group in gone]

    def _settle(self) -> None:
        """Once the checkpoint is read: windows for the plan that was in force."""
        if self._evaluator.settle():
            self._windows = self._new_windows()
            self._gathering = self._new_gathering()
