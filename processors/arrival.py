"""Evaluation on arrival: which rules are decided as samples come in, and where their alerts stand.

Arrival instants are the multiples of `EVERY` in the log's time at which samples are new. Instant T
sees every record appended up to T, and advances the alerts of those instances, and of those rules,
whose samples were appended since the instant before; all other alerts stand. An instance's alerts
depend on its own samples alone, so it does not matter who else shares its partition.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from processors.promql.columns import Source
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels, get
from processors.promql.locality import INSTANCE
from processors.promql.tree import Expression, Select, Subquery, children
from processors.rules.alert_series import ALERTS, FOR_STATE
from processors.rules.group import (
    AlertRule,
    DetectRule,
    Failure,
    Group,
    Memory,
    RecordRule,
    Rule,
)
from processors.rules.lifecycle import NONE, Alert, Alerts, Transition
from processors.rules.template import Surroundings
from processors.rules.touched import advance

EVERY = 100
"""ms between two arrival instants."""
RAW_REACH = 7_200_000
"""ms that the raw windows reach back at most."""
REMEMBERED = 10_000
"""How many combinations of metrics that arrive together are remembered."""


class ByInstance(Source, Protocol):
    """A source that can be narrowed."""

    def within(self, instance: str) -> Source:
        """The same source, with the series of one instance alone."""
        ...


@dataclass(frozen=True, slots=True)
class Arrived:
    """What is new at an instant: of these instances, samples of these metrics."""

    at: int = -1
    instances: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Advanced:
    """What an arrival instant came to; `memory` is the one before if nothing changed."""

    memory: Memory
    transitions: tuple[tuple[str, Transition], ...]
    failures: tuple[Failure, ...]
    evaluations: int


def recorded_names(groups: Iterable[Group]) -> frozenset[str]:
    """The metrics that rules record, with the series that show alerts."""
    rules = [rule for group in groups for rule in group.rules]
    return frozenset(rule.name for rule in rules if isinstance(rule, RecordRule)) | {
        ALERTS,
        FOR_STATE,
    }


def waiting(group: Group, recorded: Collection[str], spans: str) -> dict[str, str]:
    """The rules that wait for the group's instants, by key, and why; others do not wait for them.

    `recorded` are the metrics that the rules of the whole plan record, `spans` is why the group
    spans instances by that plan (`processors.placement`); empty if it does not.
    """
    shared = f"its group spans instances: {spans}" if spans else ""
    reasons = {
        key: _own_reason(rule, group) or shared or _unserved(rule, recorded)
        for key, rule in zip(group.keys, group.rules, strict=True)
    }
    return {key: reason for key, reason in reasons.items() if reason}


def _own_reason(rule: Rule, group: Group) -> str:
    if isinstance(rule, RecordRule):
        return "it records a series"
    if isinstance(rule, DetectRule):
        return "it is a detector, which learns at its group's instants"
    if rule.interval_only:
        return "it says `evaluation: interval`"
    if group.limit or group.query_offset:
        return f"its group has a {'limit' if group.limit else 'query_offset'}"
    return ""


def _unserved(rule: Rule, recorded: Collection[str]) -> str:
    nodes = [node for plan in rule.plans for node in _nodes(plan.tree)]
    if any(isinstance(node, Subquery) for node in nodes):
        return "it has a subquery, which looks at times of its own"
    selects = [node for node in nodes if isinstance(node, Select)]
    for node in selects:
        name = node.selector.metric
        if name is None:
            return "a selector names no metric"
        if name in recorded:
            return f"it reads {name}, which a rule records"
        if node.offset + (node.window or 0) > RAW_REACH:
            return f"it reaches back beyond the raw windows with {name}"
        if node.at is not None:
            return f"it reads {name} at a fixed time"
    if not any(node.offset <= 0 for node in selects):
        return "every selector has an offset: what arrives now is read later"
    return ""


def _nodes(tree: Expression) -> Iterator[Expression]:
    yield tree
    for child in children(tree):
        yield from _nodes(child)


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """A rule that is evaluated on arrival, and the metrics whose samples are news to it."""

    key: str
    rule: AlertRule
    metrics: frozenset[str]


class GroupArrival:
    """The rules of a group that are evaluated on arrival, and how."""

    def __init__(self, group: Group, recorded: Collection[str], spans: str) -> None:
        waits = waiting(group, recorded, spans)
        self._rules = [
            _Rule(key, rule, _news(rule))
            for key, rule in zip(group.keys, group.rules, strict=True)
            if isinstance(rule, AlertRule) and key not in waits
        ]
        self.metrics = frozenset(name for each in self._rules for name in each.metrics)
        self._by_metrics: dict[frozenset[str], list[_Rule]] = {}
        self._standing = _Standing()

    def evaluate(
        self,
        source: ByInstance,
        arrived: Arrived,
        memory: Memory,
        external: Labels = (),
        url: str = "",
    ) -> Advanced:
        """The alerts of the instances that have news; one rule that fails stops no other."""
        self._standing.follow(memory.alerts)
        changed: dict[str, dict[str, Alerts]] = {}
        transitions: list[tuple[str, Transition]] = []
        failures: list[Failure] = []
        evaluations = 0
        for instance, metrics in arrived.instances.items():
            rules = self._concerned(metrics)
            if not rules:
                continue
            around = Surroundings(source.within(instance), arrived.at, external, url)
            for each in rules:
                evaluations += 1
                held = self._standing.of(each.key, instance)
                try:
                    outcome = advance(each.rule, held, around)
                except EvaluationFailed as fault:
                    failures.append(Failure(each.key, fault.reason))
                    continue
                if outcome is not None:
                    changed.setdefault(each.key, {})[instance] = outcome.alerts
                    transitions += [(each.key, step) for step in outcome.transitions]
        if changed:
            memory = self._standing.changed(memory, changed)
        return Advanced(memory, tuple(transitions), tuple(failures), evaluations)

    def _concerned(self, metrics: frozenset[str]) -> list[_Rule]:
        """The rules to which these metrics are news."""
        known = self._by_metrics.get(metrics)
        if known is None:
            known = [each for each in self._rules if each.metrics & metrics]
            if len(self._by_metrics) >= REMEMBERED:
                self._by_metrics.clear()
            self._by_metrics[metrics] = known
        return known


class _Standing:
    """A group's alerts by rule and instance: made anew only when the group's memory is another."""

    def __init__(self) -> None:
        self._alerts: Mapping[str, Alerts] = {}
        self._held: dict[tuple[str, str], dict[Labels, Alert]] = {}

    def follow(self, alerts: Mapping[str, Alerts]) -> None:
        """Look at these alerts from now on."""
        if alerts is self._alerts:
            return
        self._alerts = alerts
        self._held = {}
        for key, held in alerts.items():
            for labels, alert in held.items():
                self._held.setdefault((key, get(labels, INSTANCE)), {})[labels] = alert

    def of(self, key: str, instance: str) -> Alerts:
        """The alerts of a rule that are of one instance."""
        return self._held.get((key, instance), NONE)

    def changed(self, memory: Memory, changes: Mapping[str, Mapping[str, Alerts]]) -> Memory:
        """The memory with other alerts for some rules and instances."""
        alerts = dict(memory.alerts)
        for key, instances in changes.items():
            after = dict(alerts.get(key, NONE))
            for instance, held in instances.items():
                for labels in self.of(key, instance):
                    del after[labels]
                after.update(held)
                self._held[key, instance] = dict(held)
            # In label order, as an evaluation at an interval leaves them.
            alerts[key] = dict(sorted(after.items()))
            if not after:
                del alerts[key]
        self._alerts = alerts
        return Memory(alerts, memory.recorded, memory.detections)


def _news(rule: AlertRule) -> frozenset[str]:
    """The metrics of which a rule reads the newest samples."""
    selects = [node for node in _nodes(rule.plan.tree) if isinstance(node, Select)]
    return frozenset(node.selector.metric or "" for node in selects if node.offset <= 0)
