"""People, and the receivers over which they can be reached."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from notifiers.storms.settings import RateLimit
from notifiers.time_intervals import TimeInterval

Intervals = Mapping[str, tuple[TimeInterval, ...]]


@dataclass(frozen=True, slots=True)
class Contact:
    """A receiver of somebody's: for these severities only, in these parts of the calendar only.

    Without any it holds for every severity, and always.
    """

    receiver: str
    severities: frozenset[str] = frozenset()
    during: tuple[str, ...] = ()

    def holds(self, severities: Collection[str], intervals: Intervals, at: int) -> bool:
        """Whether it is to be used for an incident of these severities at this instant (ms)."""
        if self.severities and self.severities.isdisjoint(severities):
            return False
        return not self.during or is_within(self.during, intervals, at)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can be called; `email` is how a calendar names them."""

    name: str
    contacts: tuple[Contact, ...] = ()
    location: str = "UTC"
    email: str = ""
    rate_limit: RateLimit | None = None
    """Over all receivers that are this user's alone, together."""

    def receivers(
        self, severities: Collection[str], intervals: Intervals, at: int
    ) -> tuple[str, ...]:
        """Over what to reach them now, each receiver once."""
        found = (one.receiver for one in self.contacts if one.holds(severities, intervals, at))
        return tuple(dict.fromkeys(found))


def is_within(names: Collection[str], intervals: Intervals, at: int) -> bool:
    """Whether one of these time intervals holds at this instant (ms)."""
    return any(one.contains(at) for name in names for one in intervals.get(name, ()))
