"""Which firing alert explains another, by the dependencies that are declared.

Parents are kept by dependency and by their values under `equal`, the earliest first: a child may
have begun `lookback` before its parent, so if any parent explains it the earliest does, and a
question costs one look-up a dependency however many alerts fire.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from notifiers.level import Level
from notifiers.matchers import Matcher
from notifiers.storms.settings import Dependency

Labels = Mapping[str, str]
Values = tuple[str, ...]
Life = tuple[int, str]
"""When an alert began (ms), and its fingerprint."""


@dataclass(slots=True)
class _Parents:
    """With the same values, sorted: all, and those that are no children as well."""

    every: list[Life] = field(default_factory=list)
    one_sided: list[Life] = field(default_factory=list)


class _Family:
    def __init__(self, rule: Dependency) -> None:
        self.rule = rule
        self.equal = tuple(sorted(rule.equal))
        self.parents: dict[Values, _Parents] = {}
        self.children: dict[Values, set[Life]] = {}

    def add(self, life: Life, labels: Labels) -> None:
        values = self._values(labels)
        is_child = _match(self.rule.children, labels)
        if is_child:
            self.children.setdefault(values, set()).add(life)
        if not _match(self.rule.parents, labels):
            return
        found = self.parents.setdefault(values, _Parents())
        insort(found.every, life)
        if not is_child:
            insort(found.one_sided, life)

    def remove(self, life: Life, labels: Labels) -> None:
        values = self._values(labels)
        children = self.children.get(values, set())
        children.discard(life)
        if not children:
            self.children.pop(values, None)
        found = self.parents.get(values)
        if found is not None:
            _take(found.every, life)
            _take(found.one_sided, life)
            if not found.every:
                del self.parents[values]

    def parent_of(self, life: Life, labels: Labels) -> str | None:
        if not self.parents or not _match(self.rule.children, labels):
            return None
        found = self.parents.get(self._values(labels))
        if found is None:
            return None
        # As with inhibition: what is on both sides is not held by what is on both sides.
        able = found.one_sided if _match(self.rule.parents, labels) else found.every
        if able and able[0][0] <= life[0] + self.rule.lookback:
            return able[0][1]
        return None

    def children_of(self, life: Life, labels: Labels) -> Iterator[Life]:
        if not self.children or not _match(self.rule.parents, labels):
            return
        earliest = life[0] - self.rule.lookback
        for child in self.children.get(self._values(labels), ()):
            if child[0] >= earliest and child != life:
                yield child

    def _values(self, labels: Labels) -> Values:
        return tuple(labels.get(name, "") for name in self.equal)


class Families:
    """The dependencies in force, and the alerts that fire under them or are in their grace."""

    def __init__(self, rules: Iterable[Dependency] = ()) -> None:
        self._families = [_Family(rule) for rule in rules]
        self._lives: dict[str, tuple[int, Labels]] = {}

    def __bool__(self) -> bool:
        return bool(self._families)

    def fires(self, fingerprint: str, labels: Labels, since: int) -> None:
        """This alert fires since then, or began at another time than was said before."""
        known = self._lives.get(fingerprint)
        if known is not None:
            if known[0] == since:
                return
            self.is_gone(fingerprint)
        if any(
            _match(one.rule.parents, labels) or _match(one.rule.children, labels)
            for one in self._families
        ):
            self._lives[fingerprint] = (since, labels)
            for family in self._families:
                family.add((since, fingerprint), labels)

    def is_gone(self, fingerprint: str) -> None:
        """This alert explains nothing any more."""
        known = self._lives.pop(fingerprint, None)
        if known is not None:
            for family in self._families:
                family.remove((known[0], fingerprint), known[1])

    def since(self, fingerprint: str) -> int | None:
        """When it began (ms), if it is known here."""
        known = self._lives.get(fingerprint)
        return None if known is None else known[0]

    def grace(self, fingerprint: str) -> int | None:
        """How long its children wait once it is over (ms); None if it is nobody's parent."""
        known = self._lives.get(fingerprint)
        if known is None:
            return None
        rules = (one.rule for one in self._families)
        return max((one.grace for one in rules if _match(one.parents, known[1])), default=None)

    def parent_of(self, fingerprint: str, labels: Labels, since: int) -> str | None:
        """What explains this alert; nothing explains what would explain itself in the end."""
        first = self._find((since, fingerprint), labels)
        seen, one = {fingerprint}, first
        while one is not None:
            if one in seen:
                return None
            seen.add(one)
            one = self._parent_of(one)
        return first

    def explained_by(self, fingerprints: Iterable[str]) -> set[str]:
        """The firing alerts that these explain, directly or through others."""
        found: set[str] = set()
        pending = [one for one in fingerprints if one in self._lives]
        asked = set(pending)
        while pending:
            one = pending.pop()
            since, labels = self._lives[one]
            for family in self._families:
                for _, child in family.children_of((since, one), labels):
                    found.add(child)
                    if child not in asked:
                        asked.add(child)
                        pending.append(child)
        return found

    def _parent_of(self, fingerprint: str) -> str | None:
        known = self._lives.get(fingerprint)
        return None if known is None else self._find((known[0], fingerprint), known[1])

    def _find(self, life: Life, labels: Labels) -> str | None:
        for family in self._families:
            found = family.parent_of(life, labels)
            if found is not None and found != life[1]:
                return found
        return None


def began(level: Level) -> int:
    """When this life of an alert began, in ms."""
    return level.active_at if level.starts_at is None else level.starts_at


def _match(matchers: Iterable[Matcher], labels: Labels) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


def _take(lives: list[Life], life: Life) -> None:
    at = bisect_left(lives, life)
    if at < len(lives) and lives[at] == life:
        del lives[at]
