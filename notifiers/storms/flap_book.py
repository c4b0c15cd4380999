"""Which alerts changed how often of late, and which of them flap."""

from dataclasses import dataclass, field

import ormsgpack

from notifiers.alarms import Alarms


@dataclass(slots=True)
class Flaps:
    """One alert's changes between firing and not firing; instants in ms.

    `since` is from when on it flaps, `until` when it is stable again unless it changes; `groups`
    have been looked at since, so that their receivers hear of it once.
    """

    changes: list[int] = field(default_factory=list)
    since: int | None = None
    until: int | None = None
    groups: list[str] = field(default_factory=list)


class FlapBook:
    """Alerts that resolved at least once, by fingerprint, for as long as they are remembered."""

    prefix = "flap"

    def __init__(self) -> None:
        self.known: dict[str, Flaps] = {}
        self.flapping: dict[str, Flaps] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, name: str, flaps: Flaps) -> None:
        """Know these changes, or that there is another."""
        self.known[name] = flaps
        self.touched.add(name)
        self.alarms.set(name, flaps.until)
        if flaps.since is None:
            self.flapping.pop(name, None)
        else:
            self.flapping[name] = flaps

    def forget(self, name: str) -> None:
        """The alert is forgotten."""
        if self.known.pop(name, None) is not None:
            self.flapping.pop(name, None)
            self.touched.add(name)
            self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(name, Flaps(*ormsgpack.unpackb(entry)))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        flaps = self.known.get(name)
        if flaps is None:
            return None
        return ormsgpack.packb([flaps.changes, flaps.since, flaps.until, flaps.groups])
