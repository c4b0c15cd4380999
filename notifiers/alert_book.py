"""What is known of one alert, and what a newly announced level makes of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import ormsgpack

from notifiers.level import Level, kept
from schemas import pairs
from schemas.alerts import AlertLevel, AlertState

Order = tuple[int, int]
"""Plan number and decision time: of two levels, the one with the higher order is newer."""


class Turn(StrEnum):
    """What a level changed."""

    NOTHING = "nothing"
    SHOWN = "shown"
    """Texts, or what is only pending: to be remembered, of no account to groups."""
    FIRED = "fired"
    RESOLVED = "resolved"
    CAME_RESOLVED = "came resolved"
    """Posted as resolved without having fired: groups hear of it, as Alertmanager's do."""


@dataclass(slots=True)
class Alert:
    """One alert, by its labels.

    `level` is the last that groups care about (firing or resolved), `pending` what is shown while
    a new life has not begun to fire. `groups` holds the groups it is a member of, each with the
    group's revision at its last change. `idle_since`: from when on it is remembered only so that
    an older level cannot bring it back. `written` is the order in the checkpoint, `heard` the
    newest.
    """

    fingerprint: str
    packed_labels: bytes = b""
    """Its key in the cache."""
    level: Level | None = None
    pending: Level | None = None
    written: Order = (0, 0)
    heard: Order = (0, 0)
    idle_since: int | None = None
    groups: dict[str, int] = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    """The groups its labels lead to under the plan in force; None if not worked out yet."""
    expires_at: int | None = None
    """When it resolves unless it is posted again; None for what a detector decides."""
    timed_out: bool = False
    """Whether that instant is `resolve_timeout`'s, for whoever posted it named none."""
    updated_at: int = 0
    armed: int | None = None
    """The timer that is set for it, at or before `expires_at`."""
    stored: int = -1
    """The bulk of the checkpoint with its newest whole entry (see `alert_log`); -1: none yet."""
    size: int = 0
    """Bytes of that entry."""

    @property
    def shown(self) -> Level | None:
        """What people see."""
        return self.pending or self.level

    @property
    def fires(self) -> bool:
        """Whether groups count it as firing."""
        return self.level is not None and self.level.state is AlertState.FIRING

    @property
    def is_posted(self) -> bool:
        """Whether it has, or had, an end of its own."""
        return self.updated_at != 0 or self.expires_at is not None

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *self.written,
                self.idle_since,
                self.level and (*self.level,),
                self.pending and (*self.pending,),
                self.groups,
                *((self.expires_at, self.timed_out, self.updated_at) if self.is_posted else ()),
            ]
        )

    def packed_life(self) -> bytes:
        """The entry of a post that changes nothing else, as most do: it is small."""
        return ormsgpack.packb([self.expires_at, self.timed_out, self.updated_at])

    def restore_life(self, entry: bytes) -> None:
        """Take what `packed_life` wrote."""
        self.expires_at, self.timed_out, self.updated_at = ormsgpack.unpackb(entry)

    def take(self, level: Level, decided_at: int) -> Turn:
        """Accept a level that is not older than what is known."""
        match level.state:
            case AlertState.PENDING:
                self.pending = level
                # A new life is pending, so the last one is over, whatever became of its resolve.
                return self._resolve(None, decided_at) if self.fires else Turn.SHOWN
            case AlertState.FIRING:
                began = not self.fires
                self.pending, self.level, self.idle_since = None, level, None
                return Turn.FIRED if began else Turn.SHOWN
            case AlertState.RESOLVED:
                self.pending = None
                return self._resolve(level, decided_at) if self.fires else Turn.SHOWN

    def _resolve(self, level: Level | None, decided_at: int) -> Turn:
        fired = self.level
        assert fired is not None
        said = level if level is not None and level.starts_at is not None else fired
        ends_at = level.ends_at if level is not None else None
        self.level = said.resolved(decided_at if ends_at is None else ends_at)
        return Turn.RESOLVED


def unpacked(fingerprint: str, entry: bytes) -> Alert:
    """The alert of a checkpoint's entry."""
    plan, decided_at, idle_since, level, pending, groups, *life = ormsgpack.unpackb(entry)
    last, next_life = _level(level), _level(pending)
    shown = next_life or last
    found = Alert(
        fingerprint,
        b"" if shown is None else shown.packed,
        last,
        next_life,
        (plan, decided_at),
        (plan, decided_at),
        idle_since,
        groups,
    )
    if life:
        found.expires_at, found.timed_out, found.updated_at = life
    return found


def _level(entry: list[Any] | dict[str, Any] | None) -> Level | None:
    if entry is None:
        return None
    if isinstance(entry, dict):
        # As older versions wrote it.
        return kept(AlertLevel.model_validate(entry))
    packed, notes, state, *others = entry
    return Level(packed, notes, AlertState(state), *others)


def is_same(level: AlertLevel, known: Level) -> bool:
    """Whether a level says again what is known; a value alone that moved is not news."""
    return (
        level.state is known.state
        and level.active_at == known.active_at
        and level.starts_at == known.starts_at
        and level.ends_at == known.ends_at
        and pairs.packed(level.annotations) == known.notes
        and level.generator_url == known.generator_url
    )
