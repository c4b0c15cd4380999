"""How much a window or silence would hide of what is known, and whether that is too much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from notifiers.matcher import Matcher

FEW: Final = 10
"""Of so few alerts all may be hidden."""
MOST: Final = 0.5
"""Of more than a few, a larger part than this is too much."""
_PROBES: Final = ("a", "Zz9", "web-1.example:9100", "0", "é /")
"""Values that have nothing in common: what matches them all matches about anything."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Of the alerts that are known, which are hidden, by their place in what was given."""

    known: int
    hidden: tuple[int, ...]
    says_nothing: bool
    """Whether the matchers hold for any alert that has the labels at all."""

    @property
    def too_broad(self) -> str:
        """Why nobody should want that, for people; empty if it is fine."""
        count = len(self.hidden)
        if self.says_nothing:
            return "the matchers match every alert, whatever its labels say"
        if self.known > FEW and count > MOST * self.known:
            return f"it would hide {count} of the {self.known} alerts that are known now"
        return ""


def reach(sets: Sequence[Sequence[Matcher]], alerts: Sequence[Mapping[str, str]]) -> Reach:
    """What these sets of matchers hide of alerts with these labels."""
    hidden = tuple(
        number
        for number, labels in enumerate(alerts)
        if any(all(one.matches(labels) for one in matchers) for matchers in sets)
    )
    says_nothing = any(all(map(_is_idle, matchers)) for matchers in sets)
    return Reach(len(alerts), hidden, says_nothing)


def _is_idle(matcher: Matcher) -> bool:
    """Whether it holds for about any value, or for all that lack the label: nearly everything."""
    return matcher.matches({}) or all(matcher.matches({matcher.name: value}) for value in _PROBES)
