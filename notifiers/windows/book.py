"""The maintenance windows that the router remembers, and which of them match an alert."""

from collections.abc import Mapping

import ormsgpack

from notifiers.alarms import Alarms
from notifiers.windows.window import Window, restored
from schemas.windows import WindowSet

RETENTION = 432_000_000
"""How long (ms) a window that is over is remembered; as long as a silence."""
MOST = 10_000
"""Windows that are not over; of those that are over the oldest are forgotten to stay below it."""


class WindowBook:
    """Windows by id. An alarm rings when one may begin or end, and when it is to be forgotten."""

    prefix = "window"

    def __init__(self) -> None:
        self.known: dict[str, Window] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()
        self._version = 0
        self._matching: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._holding: tuple[int, int, frozenset[str]] = (0, 0, frozenset())
        """From when until before when these windows hold."""

    def put(self, window: Window) -> None:
        """Know this window, or that it changed."""
        before = self.known.get(window.id)
        self.known[window.id] = window
        self.touched.add(window.id)
        self.alarms.set(window.id, due(window))
        if before is None or before.sets != window.sets:
            self._version += 1
        self._holding = (0, 0, frozenset())

    def makes_room(self, name: str, now: int) -> bool:
        """Whether one of this id may be known, too; the one that is over longest goes for it."""
        if name in self.known or len(self.known) < MOST:
            return True
        over = [one for one in self.known.values() if one.is_over(now)]
        if over:
            self.forget(min(over, key=lambda one: (one.wish.ends_at or 0, one.id)).id)
        return bool(over)

    def forget(self, name: str) -> None:
        """Drop it from memory."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)
        self._version += 1
        self._holding = (0, 0, frozenset())

    def active(self, fingerprint: str, labels: Mapping[str, str], now: int) -> tuple[str, ...]:
        """The ids of the windows that hide this alert now, in order."""
        holding = self.holding(now)
        if not holding:
            return ()
        return tuple(one for one in self._matches(fingerprint, labels) if one in holding)

    def holding(self, now: int) -> frozenset[str]:
        """The ids of the windows that hold now."""
        if not self.known:
            return frozenset()
        since, until, found = self._holding
        if not since <= now < until:
            found = frozenset(name for name, one in self.known.items() if one.holds(now))
            until = min(one.changes_after(now) for one in self.known.values())
            self._holding = (now, until, found)
        return found

    def forget_alert(self, fingerprint: str) -> None:
        """The alert is gone."""
        self._matching.pop(fingerprint, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_window(entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        window = self.known.get(name)
        return None if window is None else packed(window)

    def _matches(self, fingerprint: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        version, found = self._matching.get(fingerprint, (-1, ()))
        if version != self._version:
            found = tuple(sorted(name for name, one in self.known.items() if one.matches(labels)))
            self._matching[fingerprint] = (self._version, found)
        return found


def due(window: Window) -> int:
    """When the window is to be looked at again."""
    ends = window.wish.ends_at
    if ends is not None and window.looked_at >= ends:
        return ends + RETENTION
    return window.changes_after(window.looked_at)


def packed(window: Window) -> bytes:
    """The entry of the checkpoint."""
    wish = window.wish.model_dump_json()
    return ormsgpack.packb([wish, window.opened_at, window.closes_at, window.looked_at])


def unpacked_window(entry: bytes) -> Window:
    """The window of a checkpoint's entry."""
    wish, opened_at, closes_at, looked_at = ormsgpack.unpackb(entry)
    found = restored(WindowSet.model_validate_json(wish))
    return Window(
        *(found.wish, found.sets, found.calendars, found.repeats),
        *(opened_at, closes_at, looked_at),
    )
