"""Which rule groups span instances: those are decided where the samples of all partitions meet.

A group is placed whole. It stays where its samples are when every rule of it does.
"""

from collections.abc import Iterable, Sequence

from processors.promql.locality import INSTANCE, locality
from processors.rules.alert_series import ALERTS, FOR_STATE
from processors.rules.group import DetectRule, Group, RecordRule, Rule, queries

NOWHERE = frozenset({ALERTS, FOR_STATE})
"""Series that show alerts: of which instance they are depends on the alerts."""


class Placement:
    """The groups of a plan, and why some of them span instances."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.spanning_names = _spanning_names(tuple(groups))

    def reason(self, group: Group) -> str:
        """Why a group spans instances; empty when it stays within each."""
        if group.limit:
            return "its limit counts the alerts or series of all instances"
        for rule in group.rules:
            if why := self.rule_reason(rule):
                return f"{rule.name}: {why}"
        return ""

    def rule_reason(self, rule: Rule) -> str:
        """Why a rule spans instances; empty when it stays within each."""
        if isinstance(rule, DetectRule):
            return "a detector looks at all series together"
        if any(name == INSTANCE for name, _ in rule.labels):
            return "its labels overwrite instance"
        if not isinstance(rule, RecordRule) and queries(rule):
            return "its labels or annotations query other series"
        found = locality(rule.plan.tree, self.spanning_names)
        if found.local:
            return ""
        return found.why or "its series do not carry the label instance"


def _spanning_names(groups: Sequence[Group]) -> frozenset[str]:
    """The metrics that rules record without the label instance, and those made of such."""
    rules = [rule for group in groups for rule in group.rules if isinstance(rule, RecordRule)]
    names = NOWHERE
    while True:
        found = names | {rule.name for rule in rules if not _carries(rule, names)}
        if found == names:
            return names
        names = found


def _carries(rule: RecordRule, names: frozenset[str]) -> bool:
    written = any(name == INSTANCE for name, _ in rule.labels)
    return not written and locality(rule.plan.tree, names).carries
