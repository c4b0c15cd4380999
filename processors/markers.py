"""Which instants of a rule group are complete: its markers from every source, or two minutes.

An instant is complete when each source has marked it or a later one. Sources that have not done so
two minutes after the first one did are silent from then on: nobody waits for them until they have
caught up, but for two minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import ormsgpack

from schemas.gathered import Marker

HOLD = 120_000
"""ms that an instant waits for a source, from its first marker on."""


@dataclass(slots=True)
class Markers:
    """What is known of a group's sources. `digest` is of what is gathered for it by the plan."""

    digest: str
    done: int = -1
    """The last instant (ms) that was decided."""
    silent: dict[int, int] = field(default_factory=dict)
    """Sources that nobody waits for, and since when (ms)."""
    sources: int = 0
    newest: dict[int, int] = field(default_factory=dict)
    """The last instant that each source marked."""
    first: dict[int, int] = field(default_factory=dict)
    """Instants to be decided, and when the first marker of each came."""

    def pack(self) -> bytes:
        """What a checkpoint keeps: what was decided, and who is not waited for."""
        return ormsgpack.packb([self.digest, self.done, list(self.silent.items())])

    @staticmethod
    def unpack(value: bytes) -> "Markers":
        """What `pack` made bytes of."""
        digest, done, silent = ormsgpack.unpackb(value)
        return Markers(digest, done, dict(silent))

    def take(self, marker: Marker, now: int) -> None:
        """A marker that came at `now`."""
        self.sources = max(self.sources, marker.sources)
        self.newest[marker.source] = max(self.newest.get(marker.source, -1), marker.at)
        if marker.at > self.done:
            self.first.setdefault(marker.at, now)

    def back(self, marker: Marker) -> Mapping[int, int]:
        """The marker's source, if it is silent no more, and since when it was; told once.

        One that is still further behind than anybody waits for stays silent.
        """
        if marker.source not in self.silent or marker.at <= self.done - HOLD:
            return {}
        return {marker.source: self.silent.pop(marker.source)}

    def complete(self) -> int | None:
        """The next instant to be decided, if nobody is waited for."""
        at = min(self.first, default=None)
        return None if at is None or self._missing(at) else at

    def overdue(self, now: int) -> Mapping[int, int]:
        """Sources that have just become silent, and since when; each is told once."""
        at = min(self.first, default=None)
        if at is None or now < self.first[at] + HOLD:
            return {}
        found = dict.fromkeys(self._missing(at), now)
        self.silent.update(found)
        return found

    def decided(self, at: int) -> None:
        """That instant is decided."""
        self.done = at
        self.first.pop(at, None)

    def due(self) -> int | None:
        """When the next instant has waited long enough."""
        at = min(self.first, default=None)
        return None if at is None else self.first[at] + HOLD

    def stood_still(self, now: int) -> None:
        """The log stood still up to `now`: nobody could mark anything."""
        self.first = dict.fromkeys(self.first, now)

    def _missing(self, at: int) -> list[int]:
        return [
            source
            for source in range(self.sources)
            if source not in self.silent and self.newest.get(source, -1) < at
        ]
