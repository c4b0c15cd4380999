"""What is known of an alert's present, in little room: a tuple with its label sets packed."""

from sys import intern
from typing import NamedTuple

from schemas.alerts import AlertLevel, AlertState
from schemas.pairs import packed, packed_labels, unpacked

_FIRING = AlertState.FIRING.value


class Level(NamedTuple):
    """An `AlertLevel` as the router keeps it; ten thousand of these are to be kept in 20 MiB.

    `packed` and `notes` are labels and annotations as `schemas.pairs` packs them.
    """

    packed: bytes
    notes: bytes
    state: AlertState
    active_at: int
    starts_at: int | None
    ends_at: int | None
    generator_url: str
    value: float = 0.0
    changed: bool = True
    reason: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """By name, anew at every call."""
        return unpacked(self.packed)

    @property
    def annotations(self) -> dict[str, str]:
        """By name, anew at every call."""
        return unpacked(self.notes)

    def row(self) -> tuple[object, ...]:
        """The same, to be packed; its state as a text, which costs less than an enumeration."""
        labels, notes, state, active_at, starts_at, ends_at, url, value, changed, reason = self
        text = _FIRING if state is AlertState.FIRING else state
        return labels, notes, text, active_at, starts_at, ends_at, url, value, changed, reason

    def resolved(self, ends_at: int) -> "Level":
        """The same alert, over since then."""
        return self._replace(state=AlertState.RESOLVED, ends_at=ends_at)


def kept(level: AlertLevel, labels: bytes = b"") -> Level:
    """What is kept of a level; `labels`: its labels where they are packed already."""
    return Level(
        labels or packed_labels(level.labels),
        packed(level.annotations),
        level.state,
        level.active_at,
        level.starts_at,
        level.ends_at,
        intern(level.generator_url),
        level.value,
        level.changed,
        level.reason,
    )
