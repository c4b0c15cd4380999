"""What rules would have decided: the detector itself, over samples as the log once had them.

Records come in the log's order, each with the time it was appended; the same samples and rules give
the same verdicts as live, with three differences. All partitions are one. Rules begin without a
memory, so `for` counts from the start. And samples of one series and time that came twice are one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from processors.detector import Detector
from processors.promql.labels import Labels
from processors.promql.plan import SelectorUse
from processors.rules.group import RecordRule
from processors.rules_plan import RulesPlan
from schemas.alerts import AlertBatch, AlertState
from schemas.envelope import Envelope, Producer
from schemas.event import Event
from schemas.metrics import MetricBatch, metric_batch
from schemas.plan_pieces import cut
from schemas.series import pack_series
from schemas.stage import Received, Step

STOOD_STILL = 300_000
"""ms without any record: the pipeline was down, and nothing was decided about that time."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Samples that were appended together, as of one instance: labels, times (ms), values."""

    appended_at: int
    series: tuple[Labels, ...]
    times: Sequence[int]
    values: Sequence[float]


@dataclass(slots=True)
class Life:
    """An alert from its first breach on; times in ms, None for what did not happen."""

    labels: Labels
    pending_at: int
    value: float
    annotations: Labels = ()
    fired_at: int | None = None
    ended_at: int | None = None


@dataclass(slots=True)
class Backtest:
    """Feed it records, then `finish`; `lives` holds every alert there was, in order of time."""

    plan: RulesPlan
    lives: list[Life] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)
    samples: int = 0
    _detector: Detector = field(default_factory=Detector)
    _open: dict[tuple[str, Labels], Life] = field(default_factory=dict)
    _now: int = 0
    _offset: int = 0
    _blocks: dict[tuple[Labels, ...], bytes] = field(default_factory=dict)

    def uses(self) -> tuple[SelectorUse, ...]:
        """What the rules read, that no rule among them records itself."""
        groups = [group for file in self.plan.load() for group in file.groups]
        own = {r.name for g in groups for r in g.rules if isinstance(r, RecordRule)}
        found = {
            use.selector: use
            for group in groups
            for rule in group.rules
            for plan in rule.plans
            for use in plan.selectors
            if use.selector.metric not in own
        }
        return tuple(found.values())

    def feed(self, record: Replayed) -> None:
        """Take a record, later than the one before; first what was due before it is decided."""
        if not self._now:
            self._begin(record.appended_at)
        self._pass(record.appended_at)
        block = self._blocks.get(record.series)
        if block is None:
            block = self._blocks[record.series] = pack_series(record.series)
        batch = metric_batch("replay", block, record.values, record.times)
        self.samples += len(record.values)
        self._step([self._sent(batch, record.appended_at)], record.appended_at)

    def finish(self, at: int) -> None:
        """Decide what was due up to `at` (ms)."""
        if self._now:
            self._pass(at + 1)

    def _begin(self, at: int) -> None:
        """Put the rules in force just before the first record: nothing before it was a gap."""
        pieces = cut("detector", 1, self.plan.pack())
        self._step([Envelope("", Producer("plans"), at - 1, piece) for piece in pieces], at - 1)

    def _pass(self, until: int) -> None:
        """What wake-ups did while nothing came; a long silence is a pipeline that was down."""
        if until - self._now > STOOD_STILL:
            return
        while (due := self._detector.wake_at()) is not None and due < until:
            self._step([], due)

    def _sent(self, event: Event, at: int) -> Envelope:
        return Envelope("", Producer("replay"), at, event)

    def _step(self, envelopes: Sequence[Envelope], now: int) -> None:
        received = []
        for each in envelopes:
            received.append(Received(self._offset, each))
            self._offset += 1
        self._now = max(self._now, now)
        step = self._detector.step(received, self._now)
        recorded = self._taken(step)
        if recorded:
            # Appended at once, as the runtime does; seen by the next instant.
            self._step(recorded, self._now)

    def _taken(self, step: Step) -> list[Envelope]:
        for what, count in step.counts.items():
            if what.startswith("rule failed:"):
                reason = what.removeprefix("rule failed:")
                self.failures[reason] = self.failures.get(reason, 0) + count
        recorded = []
        for output in step.outputs:
            if isinstance(output.event, AlertBatch):
                self._told(output.event)
            elif isinstance(output.event, MetricBatch):
                recorded.append(self._sent(output.event, self._now))
        return recorded

    def _told(self, batch: AlertBatch) -> None:
        for level in batch.alerts:
            labels = tuple(sorted(level.labels.items()))
            key = (batch.source, labels)
            life = self._open.get(key)
            if life is None:
                if level.state is AlertState.RESOLVED:
                    continue
                life = self._open[key] = Life(labels, level.active_at, level.value)
                self.lives.append(life)
            life.value = level.value
            life.annotations = tuple(sorted(level.annotations.items()))
            life.fired_at = level.starts_at if life.fired_at is None else life.fired_at
            if level.state is AlertState.RESOLVED:
                life.ended_at = batch.decided_at
                del self._open[key]
