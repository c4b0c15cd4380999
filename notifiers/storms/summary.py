"""What a digest says in words: counts of groups and alerts, and since when they waited."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from notifiers.level import Level
from notifiers.time_intervals import in_words

MOST_NAMED = 8
"""Names of each kind that a text lists; the rest is counted."""
LONGEST_NAME = 60


class Told(StrEnum):
    """What became of a group while it was held."""

    FIRING = "fire"
    RESOLVED = "resolved"
    GONE = "came and went"


class Summary:
    """Counts what a digest tells."""

    def __init__(self, location: str = "UTC") -> None:
        """For somebody in this time zone."""
        self.location = location
        self.groups: Counter[Told] = Counter()
        self.names: Counter[str] = Counter()
        self.severities: Counter[str] = Counter()
        self.alerts = 0
        self.since: int | None = None
        self.oldest: int | None = None

    def add_group(self, told: Told, held_since: int) -> None:
        """A group that was held since this instant (ms)."""
        self.groups[told] += 1
        self.since = held_since if self.since is None else min(self.since, held_since)

    def add_alert(self, level: Level) -> None:
        """An alert that fires."""
        labels = level.labels
        self.alerts += 1
        self.names[labels.get("alertname", "")] += 1
        if severity := labels.get("severity", ""):
            self.severities[severity] += 1
        began = level.active_at if level.starts_at is None else level.starts_at
        self.oldest = began if self.oldest is None else min(self.oldest, began)

    def text(self) -> str:
        """Sentences for people."""
        count = sum(self.groups.values())
        states = ", ".join(f"{self.groups[one]:,} {one}" for one in Told if self.groups[one])
        said = [f"{plural(count, 'group')} held back by the rate limit: {states}."]
        if self.alerts:
            said.append(f"{plural(self.alerts, 'alert')} firing: {listed(self.names)}.")
        if self.severities:
            said.append(f"Severity: {listed(self.severities)}.")
        if self.since is not None:
            said.append(f"Held since {in_words(self.since, self.location)}.")
        if self.oldest is not None:
            said.append(f"Oldest alert since {in_words(self.oldest, self.location)}.")
        return " ".join(said)


def listed(counts: Mapping[str, int]) -> str:
    """`A 12, B 3 and 5 more`: the largest first, of equal ones the first by name."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f"{_name(name)} {count:,}" for name, count in ranked[:MOST_NAMED])
    rest = len(ranked) - MOST_NAMED
    return f"{named} and {rest:,} more" if rest > 0 else named


def plural(count: int, word: str) -> str:
    """`1 alert`, `2 alerts`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _name(name: str) -> str:
    return (name or "(no name)")[:LONGEST_NAME]
