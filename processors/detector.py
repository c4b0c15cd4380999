"""The detector: metric batches in, alert levels and recorded samples out.

A group is evaluated at the multiples of its interval, in the log's time. Instant T sees every
record appended up to T, so it is evaluated when the first record after T is read. After the log
stood still for a minute nobody owned the partition: nothing is decided about that time, alerts
stand as they are, and evaluation goes on half a minute later, when agents have spoken again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import ormsgpack

from processors import levels
from processors.group_state import PREFIX as GROUP
from processors.group_state import GroupState
from processors.levels import generator_url
from processors.producers import PREFIX as PRODUCER
from processors.producers import SKEW_WINDOW, Producers
from processors.promql.labels import Labels
from processors.promql.plan import SelectorUse
from processors.rules.file import BadRules
from processors.rules.group import Evaluation, Group
from processors.rules_plan import RulesPlan
from processors.windows import Windows
from schemas.alerts import AlertBatch, AlertLevel
from schemas.envelope import Envelope
from schemas.errors import Undecodable
from schemas.labels import derived_id
from schemas.metrics import MetricBatch, metric_batch
from schemas.plan_pieces import PREFIX as PLAN
from schemas.plan_pieces import PlanKeeper
from schemas.plans import Plan
from schemas.stage import Output, Received, StateChange, Step
from schemas.topics import ALERTS, METRICS

LATENESS = 300_000
"""ms after which a sample goes to history alone."""
STOOD_STILL = 60_000
RESUME_AFTER = 30_000
ANNOUNCE_EVERY = 60_000
HEARTBEAT = 30_000
"""ms between wake-ups at the most, so that a gap of `STOOD_STILL` means that nobody was there."""
RESUME = "resume"
CLOCK = "clock"
CLOCK_EVERY = 60_000
MAX_NAME = 1_000
RECORDED_SERIES = 2_000
RECORDED_TEXT = 200_000
"""Series, and bytes of their labels, of one recorded batch: well below the message limit."""


class _Running:
    """A group of the plan in force, and what it remembers."""

    def __init__(self, file: str, group: Group, default_interval: int) -> None:
        self.name = f"{file}:{group.name}"
        self.group = group
        self.step = group.interval or default_interval
        self.state = GroupState()
        self.rules = dict(zip(group.keys, group.rules, strict=True))


class Detector:
    """A stage over one partition of the metrics topic; see `schemas.stage.Stage`."""

    name = "detector"
    topic = METRICS

    def __init__(self) -> None:
        self._plan = RulesPlan()
        self._plans = PlanKeeper()
        self._running: list[_Running] = []
        self._restored: dict[str, GroupState] | None = {}
        self._windows = Windows(())
        self._producers = Producers()
        self._now = 0
        self._told_now = 0
        self._read_at = 0
        """The newest record that the windows know; `_now` may come from the checkpoint alone."""
        self._resume_at = 0
        self._counts: Counter[str] = Counter()

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint."""
        if key.startswith(GROUP):
            assert self._restored is not None
            self._restored[key.removeprefix(GROUP)] = GroupState.unpack(value)
        elif key.startswith(PRODUCER):
            self._producers.restore(key, value)
        elif key == RESUME:
            self._resume_at = ormsgpack.unpackb(value)
        elif key == CLOCK:
            self._now = self._told_now = ormsgpack.unpackb(value)
        elif key.startswith(PLAN):
            self._plans.restore(key, value)

    def begin_again(self) -> None:
        """Batches are still recognised by their numbers; by offsets no more."""
        self._producers.begin_again()

    def reach(self) -> int:
        """The longest window, and the time it takes to know a producer's clock."""
        self._settle()
        if not self._running:
            return 0
        longest = max((use.reach_ms for use in self._uses()), default=0)
        return longest + LATENESS + SKEW_WINDOW

    def rebuild(self, batch: Sequence[Received], now: int) -> None:
        """Fill the windows."""
        for received in batch:
            event = received.envelope.event
            if isinstance(event, MetricBatch) and self._producers.rebuilds(received.envelope):
                self._keep(received.envelope, event, now)
        self._now = self._read_at = max(self._now, now)
        self._counts.clear()

    def step(self, batch: Sequence[Received], now: int) -> Step:
        """Evaluate what is due before `now`, then take the records."""
        self._settle()
        outputs: list[Output] = []
        changes: list[StateChange] = []
        if self._now and now > self._now:
            if now - self._now > STOOD_STILL and self._running:
                if self._read_at == self._now:
                    self._evaluate(self._now, now, outputs, changes, once=True)
                self._resume_at = now + RESUME_AFTER
                self._counts["stood still"] += 1
                changes.append(StateChange(RESUME, ormsgpack.packb(self._resume_at)))
            else:
                self._evaluate(self._now, now, outputs, changes)
        self._now = self._read_at = max(self._now, now)
        reload = False
        for received in batch:
            event = received.envelope.event
            if isinstance(event, MetricBatch):
                if self._producers.repeats(received.envelope, received.offset, now):
                    self._counts["repeated batch"] += 1
                else:
                    self._keep(received.envelope, event, now)
            elif isinstance(event, Plan) and event.stage == self.name:
                reload |= self._switch(event, outputs, changes)
        changes += self._producers.changes(now)
        if now - self._told_now >= CLOCK_EVERY and self._running:
            # Last, for a replay that meets it takes everything before it as decided.
            self._told_now = now
            changes.append(StateChange(CLOCK, ormsgpack.packb(now)))
        for what, count in self._windows.dropped().items():
            self._counts[what] += count
        counts, self._counts = self._counts, Counter()
        return Step(outputs, changes, counts, reload)

    def wake_at(self) -> int | None:
        """Just after the next instant of any group."""
        self._settle()
        if not self._running:
            return None
        start = max(self._now, self._resume_at)
        due = min(-(-start // running.step) * running.step for running in self._running)
        return min(due + 1, self._now + HEARTBEAT)

    @property
    def plan_number(self) -> int:
        """The number of the plan in force; 0 before the first."""
        return self._plans.number

    @property
    def series(self) -> int:
        """How many series the windows hold."""
        return len(self._windows)

    @property
    def window_bytes(self) -> int:
        """Bytes of the windows."""
        return self._windows.nbytes

    def _uses(self) -> list[SelectorUse]:
        return [
            SelectorUse(use.selector, use.reach_ms + running.group.query_offset)
            for running in self._running
            for rule in running.group.rules
            for use in rule.plan.selectors
        ]

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
                return
            late = np.flatnonzero(~on_time)
            self._counts["late"] += batch.count if len(times) == 1 else len(late)
            if len(times) > 1:
                chosen = np.flatnonzero(on_time)
                self._counts["selected"] += self._windows.only(batch, chosen, times[chosen], now)
        except Undecodable:
            # The codec cannot see into the block; the historian buries the same record.
            self._counts["bad columns"] += 1

    def _evaluate(
        self,
        start: int,
        end: int,
        outputs: list[Output],
        changes: list[StateChange],
        once: bool = False,
    ) -> None:
        """Every group at its instants in [start, end), or at the first of them, in order of time.

        Before a gap the first instant alone is due: up to it everything was read, and what came
        in just before would be decided on by nobody otherwise.
        """
        start = max(start, self._resume_at)
        due = [
            (at, order)
            for order, running in enumerate(self._running)
            for at in range(-(-start // running.step) * running.step, end, running.step)[
                : 1 if once else None
            ]
        ]
        for at, order in sorted(due):
            running = self._running[order]
            if at > running.state.last:
                self._evaluate_group(running, at, outputs, changes)

    def _evaluate_group(
        self, running: _Running, at: int, outputs: list[Output], changes: list[StateChange]
    ) -> None:
        """One group at one instant; if that fails, its alerts stand and the others go on."""
        before = running.state
        try:
            found = running.group.evaluate(self._windows, at, before.memory, self._plan.external)
            told = self._announced(running, at, self._levels(running, found, at))
            told += self._recorded(running, found)
        except Exception as fault:
            self._counts[f"rule failed:{running.name}: {fault!r}"[:300]] += 1
            return
        running.state = GroupState(at, found.memory)
        self._counts["evaluations"] += len(running.group.rules)
        for failure in found.failures:
            self._counts[f"rule failed:{running.name}:{failure.key}: {failure.reason}"] += 1
        outputs += told
        if running.state.worth_keeping(before):
            changes.append(StateChange(GROUP + running.name, running.state.pack()))

    def _levels(self, running: _Running, found: Evaluation, at: int) -> list[AlertLevel]:
        told = [levels.changed(each, self._url(running, key)) for key, each in found.transitions]
        if at // ANNOUNCE_EVERY > (at - running.step) // ANNOUNCE_EVERY:
            fresh = {(key, each.labels) for key, each in found.transitions}
            told += [
                levels.repeated(labels, alert, self._url(running, key))
                for key, alerts in found.memory.alerts.items()
                for labels, alert in alerts.items()
                if (key, labels) not in fresh
            ]
        return told

    def _announced(self, running: _Running, at: int, told: Sequence[AlertLevel]) -> list[Output]:
        return [
            Output(
                ALERTS,
                "default",
                derived_id("alerts", running.name, self._plans.number, at, *_lives(batch)),
                AlertBatch(
                    source=running.name, plan=self._plans.number, decided_at=at, alerts=batch
                ),
            )
            for batch in levels.batches(told)
        ]

    def _recorded(self, running: _Running, found: Evaluation) -> list[Output]:
        """The samples on their way to the log; windows see them when they are read from it."""
        by_instance: dict[str, list[tuple[Labels, float]]] = {}
        for labels, value in found.samples:
            instance = dict(labels).get("instance", f"rules/{running.name}")[:MAX_NAME]
            by_instance.setdefault(instance, []).append((labels, value))
        return [
            Output(
                METRICS,
                instance,
                derived_id("recorded", running.name, found.sampled_at, instance, number),
                metric_batch(
                    instance,
                    [labels for labels, _ in samples],
                    [value for _, value in samples],
                    [found.sampled_at],
                ),
            )
            for instance, all_samples in by_instance.items()
            for number, samples in enumerate(_pieces(all_samples))
        ]

    def _url(self, running: _Running, key: str) -> str:
        return generator_url(self._plan.external_url, running.rules[key].expr)

    def _settle(self) -> None:
        """Once the checkpoint is read: follow the plan that was in force."""
        if self._restored is None:
            return
        restored, self._restored = self._restored, None
        content = self._plans.newest()
        if content is not None:
            self._adopt(RulesPlan.unpack(content), restored)

    def _adopt(self, plan: RulesPlan, known: Mapping[str, GroupState]) -> None:
        """Follow a plan; groups of the same file and name go on with what they remember."""
        self._plan = plan
        self._running = [
            _Running(file.name, group, plan.evaluation_interval)
            for file in plan.load()
            for group in file.groups
        ]
        for running in self._running:
            running.state = known.get(running.name, GroupState()).only(running.rules)
        self._windows = Windows(self._uses())

    def _switch(self, piece: Plan, outputs: list[Output], changes: list[StateChange]) -> bool:
        """Take a piece of a plan; once it is whole, follow it and ask for the windows anew."""
        content, kept = self._plans.add(piece)
        changes += kept
        if content is None:
            return False
        try:
            plan = RulesPlan.unpack(content)
            plan.load()
        except (ValueError, BadRules):
            self._counts["plan refused"] += 1
            changes += self._plans.refuse(piece.number)
            return False
        changes += self._plans.follow(piece.number)
        before = {running.name: running for running in self._running}
        self._adopt(plan, {name: running.state for name, running in before.items()})
        for running in self._running:
            earlier = before.pop(running.name, None)
            if earlier is not None:
                self._withdraw(earlier, set(running.rules), outputs)
                changes.append(StateChange(GROUP + running.name, running.state.pack()))
        for name, gone in before.items():
            self._withdraw(gone, set(), outputs)
            changes.append(StateChange(GROUP + name, None))
        return True

    def _withdraw(self, running: _Running, stay: set[str], outputs: list[Output]) -> None:
        """Resolve the alerts of rules that are no more."""
        reason = f"rule removed by plan {self._plans.number}"
        told = [
            levels.withdrawn(labels, alert, self._now, reason)
            for key, alerts in running.state.memory.alerts.items()
            if key not in stay
            for labels, alert in alerts.items()
        ]
        outputs += self._announced(running, self._now, told)


def _lives(batch: Sequence[AlertLevel]) -> list[object]:
    return [(sorted(level.labels.items()), level.active_at, level.state) for level in batch[:1]]


def _pieces(samples: Sequence[tuple[Labels, float]]) -> Iterator[list[tuple[Labels, float]]]:
    """Samples in order, as many together as a batch holds."""
    piece: list[tuple[Labels, float]] = []
    text = 0
    for labels, value in samples:
        size = sum(len(name) + 4 * len(of) for name, of in labels)
        if piece and (len(piece) >= RECORDED_SERIES or text + size > RECORDED_TEXT):
            yield piece
            piece, text = [], 0
        piece.append((labels, value))
        text += size
    if piece:
        yield piece
