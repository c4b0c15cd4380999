"""When each host speaks: evenly over the interval, by absolute times, so that nothing drifts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """Host `host` (from 0) measures; due `x` seconds after the start."""

    host: int
    x: float


class Pace:
    """Turns of `hosts` hosts, one each per `interval` (s), for `length` seconds.

    Who comes late gets several turns at once; what is more than an interval late is missed, so
    that a log that is too slow is not asked for ever more.
    """

    def __init__(self, hosts: int, interval: float, length: float) -> None:
        self.length = length
        self.missed = 0
        self.latest = 0.0
        """Seconds that a turn was late at most."""
        self._hosts = hosts
        self._interval = interval
        self._next = 0
        # Rounding must not make one turn more out of an even number of them.
        self.turns = max(0, -int(-(length * hosts / interval - 1e-9) // 1))

    @property
    def done(self) -> bool:
        """Whether there are no more turns."""
        return self._next >= self.turns

    @property
    def due(self) -> float:
        """Seconds after the start when the next turn is."""
        return self._at(self._next)

    def take(self, x: float, most: int) -> list[Turn]:
        """The turns that are due `x` seconds after the start, at most so many."""
        while not self.done and x - self.due > self._interval:
            self._next += 1
            self.missed += 1
        found: list[Turn] = []
        while not self.done and self.due <= x and len(found) < most:
            self.latest = max(self.latest, x - self.due)
            found.append(Turn(self._next % self._hosts, self.due))
            self._next += 1
        return found

    def _at(self, number: int) -> float:
        return number * self._interval / self._hosts
