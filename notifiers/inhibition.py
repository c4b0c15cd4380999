"""Inhibition: which firing alert mutes another, as Alertmanager's `inhibit` decides it.

Sources are kept by rule and by their values under `equal`, so a question costs one look-up a rule
however many alerts fire. Of several sources the first by fingerprint is named: what is decided
must not depend on the order in which a checkpoint was read.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from notifiers.inhibit_rules import InhibitRule
from notifiers.matchers import Matcher

Labels = Mapping[str, str]
Values = tuple[str, ...]


@dataclass(slots=True)
class _Sources:
    """Firing alerts with the same values, sorted: all, and those that are no targets as well."""

    every: list[str] = field(default_factory=list)
    one_sided: list[str] = field(default_factory=list)


class _Rule:
    def __init__(self, rule: InhibitRule) -> None:
        self.sources, self.targets = rule.sources, rule.targets
        self.equal = tuple(sorted(rule.equal))
        self.firing: dict[Values, _Sources] = {}

    def values(self, labels: Labels) -> Values:
        return tuple(labels.get(name, "") for name in self.equal)

    def add(self, fingerprint: str, labels: Labels) -> None:
        if not _match(self.sources, labels):
            return
        found = self.firing.setdefault(self.values(labels), _Sources())
        _put(found.every, fingerprint)
        if not _match(self.targets, labels):
            _put(found.one_sided, fingerprint)

    def remove(self, fingerprint: str, labels: Labels) -> None:
        values = self.values(labels)
        found = self.firing.get(values)
        if found is None:
            return
        _take(found.every, fingerprint)
        _take(found.one_sided, fingerprint)
        if not found.every:
            del self.firing[values]

    def source_for(self, labels: Labels) -> str | None:
        if not self.firing or not _match(self.targets, labels):
            return None
        found = self.firing.get(self.values(labels))
        if found is None:
            return None
        # An alert on both sides is not inhibited by another that is on both: not by itself, too.
        able = found.one_sided if _match(self.sources, labels) else found.every
        return able[0] if able else None


class Inhibitor:
    """The rules in force and the alerts that fire under them."""

    def __init__(self, rules: Iterable[InhibitRule] = ()) -> None:
        self._rules = [_Rule(rule) for rule in rules]

    def __bool__(self) -> bool:
        """Whether there is any rule: most labels need not be looked at."""
        return bool(self._rules)

    def fires(self, fingerprint: str, labels: Labels) -> None:
        """This alert fires."""
        for rule in self._rules:
            rule.add(fingerprint, labels)

    def is_over(self, fingerprint: str, labels: Labels) -> None:
        """This alert fires no more."""
        for rule in self._rules:
            rule.remove(fingerprint, labels)

    def source(self, labels: Labels) -> str | None:
        """The fingerprint of an alert that mutes those with these labels, by the first rule."""
        for rule in self._rules:
            if (found := rule.source_for(labels)) is not None:
                return found
        return None


def _match(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


def _put(sorted_names: list[str], name: str) -> None:
    at = bisect_left(sorted_names, name)
    if at == len(sorted_names) or sorted_names[at] != name:
        insort(sorted_names, name)


def _take(sorted_names: list[str], name: str) -> None:
    at = bisect_left(sorted_names, name)
    if at < len(sorted_names) and sorted_names[at] == name:
        del sorted_names[at]
