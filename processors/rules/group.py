"""A compiled rule group, and its evaluation at one instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import TypeAlias

from processors.detect.model import Detection, Detector, Found
from processors.promql import labels as label
from processors.promql.columns import STALE, Source
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.plan import Plan
from processors.promql.vector import Vector
from processors.rules import lifecycle
from processors.rules.alert_series import series
from processors.rules.lifecycle import Alerts, Breach, Hold, Transition
from processors.rules.recorded import Recorded
from processors.rules.template import Surroundings, Template
from processors.rules.together import answering

ALERT_NAME = "alertname"
DUPLICATE_RECORDS = "vector contains metrics with the same labelset after applying rule labels"
Templates: TypeAlias = tuple[tuple[str, Template], ...]
Samples: TypeAlias = list[tuple[Labels, float]]


@dataclass(frozen=True, slots=True, eq=False)
class AlertRule:
    """A rule whose series are breaches."""

    name: str
    expr: str
    plan: Plan
    hold: Hold
    labels: Templates
    annotations: Templates
    interval_only: bool = False  # not on arrival, whatever it reads

    @property
    def identity(self) -> str:
        """What Prometheus knows a rule by when it reloads: its name and its labels."""
        return f"alert {self.name}{label.text(written(self))}"

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The expressions it reads, those of its templates too."""
        return (self.plan, *queries(self))

    def breaches(self, source: Source, at: int, around: Surroundings) -> list[Breach]:
        """The result at an instant under alert labels; `alertname` wins over everything."""
        return [breach(self, *item, around) for item in results(self.plan, source, at)]


@dataclass(frozen=True, slots=True, eq=False)
class DetectRule:
    """A rule whose breaches a detector finds; `digest` tells one set of options from another."""

    name: str
    expr: str
    digest: str
    detector: Detector
    hold: Hold
    labels: Templates
    annotations: Templates

    @property
    def identity(self) -> str:
        """As for an alert rule."""
        return f"alert {self.name}{label.text(written(self))}"

    def slot(self, key: str) -> str:
        """Where a memory holds the detector at work: with other options it begins anew."""
        return f"{key}\0{self.digest}"

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The expressions it reads."""
        return (*self.detector.plans, *queries(self))


def written(rule: "AlertRule | DetectRule") -> Labels:
    """A rule's labels as they stand in the file."""
    return tuple((name, template.text) for name, template in rule.labels)


def queries(rule: "AlertRule | DetectRule") -> tuple[Plan, ...]:
    """The expressions in the templates of a rule."""
    return tuple(p for _, each in (*rule.labels, *rule.annotations) for p in each.plans)


def breach(
    rule: "AlertRule | DetectRule",
    labels: Labels,
    value: float,
    around: Surroundings,
    facts: Labels = (),
) -> Breach:
    """A series of a rule's result under alert labels; `alertname` wins over everything."""
    notes = dict(facts)
    notes.update((n, t.expand(labels, value, around)) for n, t in rule.annotations)
    return Breach(alert_labels(rule, labels, value, around), value, tuple(sorted(notes.items())))


def alert_labels(
    rule: "AlertRule | DetectRule", labels: Labels, value: float, around: Surroundings
) -> Labels:
    """The labels of the alert that a series of the result becomes."""
    named = dict(labels)
    named.pop(METRIC_NAME, None)
    for name, template in rule.labels:
        named[name] = template.expand(labels, value, around)
    named[ALERT_NAME] = rule.name
    return label.of(named.items())


@dataclass(frozen=True, slots=True, eq=False)
class RecordRule:
    """A rule whose series are new samples."""

    name: str
    expr: str
    plan: Plan
    labels: Labels
    _named: dict[Labels, Labels] = field(default_factory=dict, init=False, repr=False)

    @property
    def identity(self) -> str:
        """As for an alert rule."""
        return f"record {self.name}{label.text(self.labels)}"

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The expressions it reads."""
        return (self.plan,)

    def samples(self, source: Source, at: int) -> Samples:
        """The result at an instant under the rule's name and labels."""
        items = results(self.plan, source, at)
        if len(self._named) > 2 * len(items) + 64:
            self._named.clear()  # of series that are long gone
        found = {self._record(labels): value for labels, value in items}
        if len(found) < len(items):
            raise EvaluationFailed(DUPLICATE_RECORDS)
        return list(found.items())

    def _record(self, labels: Labels) -> Labels:
        """The labels of what is recorded of a series: worked out once."""
        known = self._named.get(labels)
        if known is None:
            own = {METRIC_NAME: self.name, **dict(self.labels)}
            known = self._named[labels] = label.of({**dict(labels), **own}.items())
        return known


Rule: TypeAlias = AlertRule | DetectRule | RecordRule


def results(plan: Plan, source: Source, at: int) -> Samples:
    """A rule's result: a scalar is a series without labels."""
    knowing = answering(source)
    known = knowing.answer(plan, at) if knowing is not None else None
    if known is not None:
        return known
    value = plan.evaluate(source, at)
    if isinstance(value, Vector):
        return value.items()
    assert isinstance(value, float)  # strings are refused at load
    return [((), value)]


@dataclass(frozen=True, slots=True)
class Memory:
    """What a group remembers from one evaluation to the next, by rule key; plain data.

    Detectors at work, by slot, learn in place: a memory is not compared by them.
    """

    alerts: Mapping[str, Alerts] = field(default_factory=dict)
    recorded: Mapping[str, tuple[Labels, ...]] = field(default_factory=dict)
    detections: Mapping[str, Detection] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that could not be evaluated; its alerts stand as they were."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one evaluation of a group decided."""

    at: int
    sampled_at: int  # the time of `samples`: earlier where the group has a `query_offset`
    memory: Memory
    transitions: tuple[tuple[str, Transition], ...]  # with the rule's key
    samples: tuple[tuple[Labels, float], ...]  # a series that vanished ends with a stale marker
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rules that are evaluated together, in order; times in milliseconds."""

    name: str
    interval: int | None
    rules: tuple[Rule, ...]
    limit: int = 0
    query_offset: int = 0
    # A stable key for each rule: what it is known by, and which of its namesakes it is.
    keys: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        seen: dict[str, int] = {}
        keys = []
        for rule in self.rules:
            count = seen[rule.identity] = seen.get(rule.identity, 0) + 1
            keys.append(rule.identity if count == 1 else f"{rule.identity} #{count}")
        object.__setattr__(self, "keys", tuple(keys))

    @property
    def expressions(self) -> tuple[Plan, ...]:
        """Those of its alert and recording rules."""
        return tuple(rule.plan for rule in self.rules if not isinstance(rule, DetectRule))

    def instants(self, last: int, now: int, default_interval: int) -> range:
        """The instants due in (last, now]: the multiples of the group's interval."""
        step = self.interval or default_interval
        return range((last // step + 1) * step, now + 1, step)

    def evaluate(
        self,
        source: Source,
        at: int,
        memory: Memory,
        external: Labels = (),
        url: str = "",
        alert_series: bool = False,
    ) -> Evaluation:
        """Evaluates every rule at an instant; one that fails stops no other.

        With `alert_series` active alerts are recorded too, as `ALERTS` and `ALERTS_FOR_STATE`.
        """
        seen = Recorded(source, at - self.query_offset)
        around = Surroundings(seen, at, external, url)
        alerts: dict[str, Alerts] = {}
        recorded: dict[str, tuple[Labels, ...]] = {}
        detections: dict[str, Detection] = {}
        transitions: list[tuple[str, Transition]] = []
        failures: list[Failure] = []
        idle = seen.idle
        for key, rule in zip(self.keys, self.rules, strict=True):
            if (
                isinstance(rule, AlertRule)
                and idle(rule.plan)
                and key not in memory.alerts
                and key not in memory.recorded
            ):
                continue
            try:
                if not isinstance(rule, RecordRule):
                    held = memory.alerts.get(key, lifecycle.NONE)
                    samples: Samples = []
                    if isinstance(rule, AlertRule):
                        outcome = self._alerts(rule, seen, held, around)
                    else:
                        slot = rule.slot(key)
                        working = memory.detections.get(slot) or rule.detector.begin({})
                        detections[slot] = working
                        found = working.step(seen, at - self.query_offset)
                        outcome = self._detected(rule, found, held, around)
                        samples += found.samples
                    if alert_series:
                        samples += series(outcome.alerts, written(rule))
                    if samples or key in memory.recorded:
                        recorded[key] = _recorded(samples, seen, memory.recorded.get(key, ()))
                    transitions.extend((key, each) for each in outcome.transitions)
                    if outcome.alerts:
                        alerts[key] = outcome.alerts
                else:
                    before = memory.recorded.get(key, ())
                    recorded[key] = self._records(rule, seen, at, before)
            except EvaluationFailed as fault:
                failures.append(Failure(key, fault.reason))
                if key in memory.alerts:
                    alerts[key] = memory.alerts[key]
                if key in memory.recorded:
                    recorded[key] = memory.recorded[key]
        return Evaluation(
            at=at,
            sampled_at=at - self.query_offset,
            memory=Memory(alerts, recorded, detections),
            transitions=tuple(transitions),
            samples=seen.samples,
            failures=tuple(failures),
        )

    def _alerts(
        self, rule: AlertRule, source: Source, held: Alerts, around: Surroundings
    ) -> lifecycle.Outcome:
        breaches = rule.breaches(source, around.at - self.query_offset, around)
        return self._limited(lifecycle.advance(held, breaches, rule.hold, around.at))

    def _detected(
        self, rule: DetectRule, found: Found, held: Alerts, around: Surroundings
    ) -> lifecycle.Outcome:
        breaches = [
            breach(rule, each.labels, float(each.value), around, each.facts)
            for each in found.findings
        ]
        kept = {alert_labels(rule, labels, nan, around) for labels in found.held}
        return self._limited(lifecycle.advance(held, breaches, rule.hold, around.at, kept))

    def _limited(self, outcome: lifecycle.Outcome) -> lifecycle.Outcome:
        if 0 < self.limit < len(outcome.alerts):
            raise EvaluationFailed(
                f"exceeded limit of {self.limit} with {len(outcome.alerts)} alerts"
            )
        return outcome

    def _records(
        self, rule: RecordRule, seen: Recorded, at: int, before: tuple[Labels, ...]
    ) -> tuple[Labels, ...]:
        samples = rule.samples(seen, at - self.query_offset)
        if 0 < self.limit < len(samples):
            raise EvaluationFailed(f"exceeded limit of {self.limit} with {len(samples)} series")
        return _recorded(samples, seen, before)


def _recorded(
    samples: Sequence[tuple[Labels, float]], seen: Recorded, before: tuple[Labels, ...]
) -> tuple[Labels, ...]:
    """Records samples, and that a series ended which was there before."""
    now = dict(samples)
    seen.add([*samples, *((labels, STALE) for labels in before if labels not in now)])
    return tuple(now)
