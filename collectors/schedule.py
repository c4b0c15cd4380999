"""What is due at `now`, and when to look again: pure, on a clock that only goes forward."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

PROMPT = 2_000
"""Milliseconds within which every source is first read, so that an agent shows at once."""


@dataclass(frozen=True, slots=True)
class Due:
    """A source to read now; `missed` ticks went by unread and stay so."""

    name: str
    missed: int = 0


def offset(seed: str, name: str, interval: int) -> int:
    """Where in its interval a source ticks: spread by hash, the same after every restart."""
    digest = blake2b(f"{seed}\x00{name}".encode("utf-8", "backslashreplace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") % interval


class Schedule:
    """The ticks of some sources, all times in ms of a monotonic clock.

    A source ticks at multiples of its interval plus its offset. It is first read within two
    seconds of the start, then on its ticks; two reads are never closer than half an interval, so
    ticks missed while the machine was busy or asleep are skipped and counted, never bunched.
    """

    def __init__(self, intervals: Mapping[str, int], now: int, seed: str = "") -> None:
        self._intervals = dict(intervals)
        self._offsets = {name: offset(seed, name, each) for name, each in intervals.items()}
        self._next = {
            name: now + self._offsets[name] * min(each, PROMPT) // each
            for name, each in intervals.items()
        }
        self._first = set(intervals)

    def take(self, now: int) -> tuple[Due, ...]:
        """Every source that is due at `now`, each once; the oldest tick first."""
        due = sorted((at, name) for name, at in self._next.items() if at <= now)
        return tuple(self._advance(name, at, now) for at, name in due)

    def next(self) -> int | None:
        """The next wake-up."""
        return min(self._next.values(), default=None)

    def _advance(self, name: str, at: int, now: int) -> Due:
        interval = self._intervals[name]
        earliest = now + (interval + 1) // 2
        upcoming = earliest + (self._offsets[name] - earliest) % interval
        self._next[name] = upcoming
        if name in self._first:
            self._first.remove(name)
            return Due(name, (now - at) // interval)
        return Due(name, (upcoming - at) // interval - 1)
