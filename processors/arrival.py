"""Evaluation on arrival: which rules are decided as samples come in, and where their alerts stand.

Arrival instants are the multiples of `EVERY` in the log's time at which samples are new. Instant T
sees every record appended up to T, and advances the alerts of those instances, and of those rules,
whose samples were appended since the instant before; all other alerts stand. An instance's alerts
depend on its own samples alone, so it does not matter who else shares its partition.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from processors.partials.planning import long_uses
from processors.promql.tree import Expression, Select, Subquery, children
from processors.rules.alert_series import ALERTS, FOR_STATE
from processors.rules.group import (
    AlertRule,
    DetectRule,
    Group,
    RecordRule,
    Rule,
)

EVERY = 100
"""ms between two arrival instants."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What is new at an instant: of these instances, samples of these metrics."""

    at: int = -1
    instances: Mapping[str, frozenset[str]] = field(default_factory=dict)


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
    far = {use.selector for plan in rule.plans for use in long_uses(plan)}
    for node in selects:
        name = node.selector.metric
        if name is None:
            return "a selector names no metric"
        if name in recorded:
            return f"it reads {name}, which a rule records"
        if node.selector in far:
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
class ArrivalRule:
    """A rule that is evaluated on arrival, and the metrics whose samples are news to it."""

    key: str
    rule: AlertRule
    metrics: frozenset[str]


def arrival_rules(group: Group, recorded: Collection[str], spans: str) -> tuple[ArrivalRule, ...]:
    """The rules of a group that are evaluated on arrival; arguments as for `waiting`."""
    waits = waiting(group, recorded, spans)
    return tuple(
        ArrivalRule(key, rule, _news(rule))
        for key, rule in zip(group.keys, group.rules, strict=True)
        if isinstance(rule, AlertRule) and key not in waits
    )


def _news(rule: AlertRule) -> frozenset[str]:
    """The metrics of which a rule reads the newest samples."""
    selects = [node for node in _nodes(rule.plan.tree) if isinstance(node, Select)]
    return frozenset(node.selector.metric or "" for node in selects if node.offset <= 0)
