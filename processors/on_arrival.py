"""What an arrival instant comes to: all rules that have news of an instance in one evaluation."""

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from processors.arrival import ArrivalRule, Arrived
from processors.promql.columns import Source
from processors.promql.errors import EvaluationFailed
from processors.promql.fusion.engine import Answers, Fusion
from processors.promql.fusion.leaves import Numbered
from processors.promql.labels import Labels, get
from processors.promql.locality import INSTANCE
from processors.rules.group import Failure, Memory
from processors.rules.lifecycle import NONE, Alert, Alerts, Transition
from processors.rules.template import Surroundings
from processors.rules.touched import advance

REMEMBERED = 100
"""How many combinations of metrics that arrive together are remembered: those met last."""
UNEXPECTED = "on arrival"
"""The key of a failure that is no single rule's."""


class ByInstance(Source, Protocol):
    """A source that can be narrowed."""

    def within(self, instance: str) -> Numbered:
        """The series of one instance alone."""
        ...


@dataclass(slots=True)
class Advanced:
    """What an arrival instant came to for a group."""

    changed: dict[str, dict[str, Alerts]] = field(default_factory=dict)
    """By rule and instance: all alerts that are left of them."""
    transitions: list[tuple[str, Transition]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


class Standing:
    """A group's alerts by instance and rule: made anew only when the group's memory is another."""

    def __init__(self) -> None:
        self._alerts: Mapping[str, Alerts] = {}
        self._held: dict[str, dict[str, Alerts]] = {}

    def follow(self, alerts: Mapping[str, Alerts]) -> None:
        """Look at these alerts from now on."""
        if alerts is self._alerts:
            return
        held: dict[str, dict[str, dict[Labels, Alert]]] = {}
        for key, rules in alerts.items():
            for labels, alert in rules.items():
                of_instance = held.setdefault(get(labels, INSTANCE), {})
                of_instance.setdefault(key, {})[labels] = alert
        self._alerts, self._held = alerts, dict(held)  # type: ignore[arg-type]

    def of(self, instance: str) -> Mapping[str, Alerts]:
        """The alerts of one instance, by rule."""
        return self._held.get(instance, {})

    def after(self, memory: Memory, changed: Mapping[str, Mapping[str, Alerts]]) -> Memory:
        """The memory with other alerts for some rules and instances; it is followed from now on."""
        alerts = dict(memory.alerts)
        for key, instances in changed.items():
            after = dict(alerts.get(key, NONE))
            fresh: list[Labels] = []
            for instance, held in instances.items():
                for labels in self.of(instance).get(key, NONE):
                    if labels not in held:
                        del after[labels]
                fresh += (labels for labels in held if labels not in after)
                after.update(held)
            alerts[key] = _placed(after, fresh)
            if not after:
                del alerts[key]
        for key, instances in changed.items():
            for instance, held in instances.items():
                self._put(instance, key, held)
        self._alerts = alerts
        return Memory(alerts, memory.recorded, memory.detections)

    def _put(self, instance: str, key: str, held: Alerts) -> None:
        rules = self._held.setdefault(instance, {})
        if held:
            rules[key] = held
        else:
            rules.pop(key, None)
            if not rules:
                del self._held[instance]


def _placed(alerts: dict[Labels, Alert], fresh: list[Labels]) -> dict[Labels, Alert]:
    """In label order, as an evaluation at an interval leaves them; all but the last `fresh` are."""
    if not fresh:
        return alerts
    items = list(alerts.items())
    del items[-len(fresh) :]
    for labels in fresh:
        insort(items, (labels, alerts[labels]), key=_labels)
    return dict(items)


def _labels(item: tuple[Labels, Alert]) -> Labels:
    return item[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """A rule of group number `group`."""

    group: int
    key: str
    rule: ArrivalRule


class _Concerned:
    """The rules to which some metrics are news."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self.rules = rules
        self._by_plan = {each.rule.rule.plan: place for place, each in enumerate(rules)}
        self._by_key = {(each.group, each.key): place for place, each in enumerate(rules)}
        self._met = False
        self._fusion: Fusion | None = None

    def evaluate(self, source: Numbered, at: int) -> Answers:
        """What the rules come to; the first time each is left to be evaluated alone.

        Metrics that never arrive together again are not worth a fusion of all their rules.
        """
        if not self._met:
            self._met = True
            return Answers(self._by_plan, {})
        if self._fusion is None:
            self._fusion = Fusion(self._by_plan)
        return self._fusion.evaluate(source, at)

    def stirred(
        self, answers: Answers, standing: Mapping[int, Mapping[str, Alerts]]
    ) -> Iterator[_Rule]:
        """Those with a result, an error, or alerts that stand."""
        places = {self._by_plan[plan] for plan in (*answers.found, *answers.unknown)}
        for group, held in standing.items():
            places.update(self._by_key[group, key] for key in held if (group, key) in self._by_key)
        return (self.rules[place] for place in sorted(places))


class OnArrival:
    """The rules of several groups that are evaluated on arrival."""

    def __init__(self, groups: Sequence[Sequence[ArrivalRule]]) -> None:
        self._rules = [
            _Rule(number, each.key, each) for number, rules in enumerate(groups) for each in rules
        ]
        self._standing = [Standing() for _ in groups]
        self._metrics = frozenset(name for each in self._rules for name in each.rule.metrics)
        self._concerned: dict[frozenset[str], _Concerned] = {}
        """By metrics, in the order in which they were met last."""

    def evaluate(
        self,
        source: ByInstance,
        arrived: Arrived,
        memories: Mapping[int, Memory],
        external: Labels = (),
        url: str = "",
    ) -> tuple[dict[int, Advanced], int]:
        """What becomes of groups, by number, and how many rules were evaluated.

        Only those groups go on that have a memory here.
        """
        found = {number: Advanced() for number in memories}
        for number, memory in memories.items():
            self._standing[number].follow(memory.alerts)
        evaluations = 0
        for instance, metrics in arrived.instances.items():
            concerned = self._concerned_by(metrics & self._metrics)
            if not concerned.rules:
                continue
            evaluations += len(concerned.rules)
            narrow = source.within(instance)
            around = Surroundings(narrow, arrived.at, external, url)
            try:
                answers = concerned.evaluate(narrow, arrived.at)
                self._advance(instance, concerned, answers, around, found)
            except Exception as fault:
                # A fault of ours: its alerts stand, and those of other instances go on.
                failure = Failure(UNEXPECTED, f"unexpected {type(fault).__name__}")
                for number in found.keys() & {each.group for each in concerned.rules}:
                    found[number].failures.append(failure)
        return found, evaluations

    def after(self, number: int, memory: Memory, advanced: Advanced) -> Memory:
        """The memory that a group goes on with."""
        return self._standing[number].after(memory, advanced.changed)

    def _advance(
        self,
        instance: str,
        concerned: _Concerned,
        answers: Answers,
        around: Surroundings,
        found: Mapping[int, Advanced],
    ) -> None:
        standing = {number: self._standing[number].of(instance) for number in found}
        for each in concerned.stirred(answers, standing):
            group = found.get(each.group)
            if group is None:
                continue
            rule = each.rule.rule
            held = standing[each.group].get(each.key, NONE)
            try:
                outcome = advance(rule, held, around, answers.of(rule.plan))
            except EvaluationFailed as fault:
                group.failures.append(Failure(each.key, fault.reason))
                continue
            if outcome is not None:
                group.changed.setdefault(each.key, {})[instance] = outcome.alerts
                group.transitions += [(each.key, step) for step in outcome.transitions]

    def _concerned_by(self, metrics: frozenset[str]) -> _Concerned:
        known = self._concerned.pop(metrics, None)
        if known is None:
            known = _Concerned([each for each in self._rules if each.rule.metrics & metrics])
            if len(self._concerned) >= REMEMBERED:
                del self._concerned[next(iter(self._concerned))]
        self._concerned[metrics] = known
        return known
