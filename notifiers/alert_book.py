"""What is known of one alert, and what a newly announced level makes of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

import ormsgpack

from notifiers.level import Level, kept
from schemas import pairs
from schemas.alerts import AlertLevel, AlertState

Order = tuple[int, int]
"""Plan number and decision time: of two levels, the one with the higher order is newer."""
_ENTRY = 192
"""About the bytes of an alert's entry besides its texts and groups."""
_GROUP = 32
UNIT = 64


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
    a new life has not begun to fire. `groups` holds the ids of the groups it is a member of; they
    know at which revision it changed last. `idle_since`: from when on it is remembered only so
    that an older level cannot bring it back. `written` is the order in the checkpoint, `heard` the
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
    groups: tuple[str, ...] = ()
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
    """Of that entry, see `weight`."""

    @property
    def shown(self) -> Level | None:
        """What people see."""
        return self.pending or self.level

    @property
    def fires(self) -> bool:
        """Whether groups count it as firing."""
        return self.level is not None and self.level.state is AlertState.FIRING

    def weight(self) -> int:
        """About the bytes of its entry, in `UNIT`s: small numbers are no objects of their own."""
        size = _ENTRY + _GROUP * len(self.groups)
        for level in (self.level, self.pending):
            if level is not None:
                url = level.generator_url
                size += len(level.packed) + len(level.notes) + len(level.reason)
                size += len(url) if url.isascii() else len(url.encode())
        return size // UNIT

    def row(self, revisions: list[int]) -> tuple[object, ...]:
        """The entry of the checkpoint, to be packed; at which revision of each group it changed."""
        level, pending = self.level, self.pending
        plan, decided_at = self.written
        return (
            self.fingerprint,
            plan,
            decided_at,
            self.idle_since,
            level and level.row(),
            pending and pending.row(),
            self.groups,
            revisions,
            self.expires_at,
            self.timed_out,
            self.updated_at,
        )

    def life(self) -> tuple[object, ...]:
        """The entry of a post that changes nothing else, as most do: it is small."""
        return (self.fingerprint, self.expires_at, self.timed_out, self.updated_at)

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


class Restored(NamedTuple):
    """An alert of the checkpoint, and at which revision of each of its groups it changed."""

    alert: Alert
    revisions: list[int]

    @classmethod
    def of_row(cls, row: list[Any]) -> Self:
        """What `Alert.row` wrote."""
        fingerprint, plan, decided_at, idle_since, level, pending, groups, revisions, *life = row
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
            tuple(groups),
        )
        found.expires_at, found.timed_out, found.updated_at = life
        return cls(found, revisions)

    @classmethod
    def of_entry(cls, fingerprint: str, entry: bytes) -> Self:
        """The same of an older version's entry: each was packed alone."""
        plan, decided_at, idle_since, level, pending, groups, *life = ormsgpack.unpackb(entry)
        before: list[Any] = [plan, decided_at, idle_since, level, pending]
        after: list[Any] = [[*groups], [*groups.values()], *(life or _NO_LIFE)]
        return cls.of_row([fingerprint, *before, *after])


_NO_LIFE = (None, False, 0)
"""What an alert's entry lacks that nobody posted."""


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
