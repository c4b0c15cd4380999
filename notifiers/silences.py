"""Silences: what one is, what state it is in, what may change under the same id.

The rules are Alertmanager's (`silence`: `getState`, `canUpdate`, `Set`, `expire`), but for one
instant: here a silence is over at `ends_at` itself, there only after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import ormsgpack

from notifiers.matchers import Matcher, Operator
from schemas.commands import SilenceSet

RETENTION = 432_000_000
"""How long (ms) an expired silence is remembered."""


class SilenceState(StrEnum):
    """Where a silence stands."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts are silenced from `starts_at` until before `ends_at` (ms) if one of `sets` matches."""

    id: str
    sets: tuple[tuple[Matcher, ...], ...]
    starts_at: int
    ends_at: int
    created_by: str = ""
    comment: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    updated_at: int = 0

    def state_at(self, now: int) -> SilenceState:
        """Its state at this instant."""
        if now >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.PENDING if now < self.starts_at else SilenceState.ACTIVE

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether all matchers of one set match these labels, at whatever time."""
        return any(all(one.matches(labels) for one in matchers) for matchers in self.sets)

    def expired(self, now: int) -> "Silence":
        """The same, ended now; what never began begins and ends now."""
        return replace(self, starts_at=min(self.starts_at, now), ends_at=now, updated_at=now)

    def not_before(self, now: int) -> "Silence":
        """The same; a new silence cannot begin in the past."""
        return replace(self, starts_at=max(self.starts_at, now))

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        sets = [[[one.name, one.operator, one.value] for one in matchers] for matchers in self.sets]
        return ormsgpack.packb(
            [
                *(sets, self.starts_at, self.ends_at, self.created_by, self.comment),
                *(self.annotations, self.updated_at),
            ]
        )


class UnknownSilence(LookupError):
    """An edit names a silence that is not there."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit comes to: silences to expire, and the id to set; "" is one not used before."""

    expire: tuple[str, ...]
    id: str


def edit(known: Mapping[str, Silence], wanted: Silence, now: int) -> Edit:
    """What is to be done to have `wanted`, whose id is that of the edited silence or "".

    Raises UnknownSilence.
    """
    if not wanted.id:
        return Edit((), "")
    previous = known.get(wanted.id)
    if previous is None:
        raise UnknownSilence(wanted.id)
    if may_keep_id(previous, wanted, now):
        return Edit((), wanted.id)
    over = previous.state_at(now) is SilenceState.EXPIRED
    return Edit(() if over else (previous.id,), "")


def may_keep_id(previous: Silence, wanted: Silence, now: int) -> bool:
    """Whether a silence can become `wanted` without changing what has already been silenced."""
    if previous.sets != wanted.sets:
        return False
    match previous.state_at(now):
        case SilenceState.ACTIVE:
            same_start = previous.starts_at // 1_000 == wanted.starts_at // 1_000
            return same_start and wanted.ends_at >= now
        case SilenceState.PENDING:
            return wanted.starts_at >= now
        case SilenceState.EXPIRED:
            return False


def silence_of(command: SilenceSet, now: int) -> Silence:
    """The silence that a command describes; raises ValueError for a matcher that is none."""
    sets = tuple(
        tuple(Matcher(one.name, Operator(one.operator), one.value) for one in matchers)
        for matchers in command.sets
    )
    if command.ends_at < command.starts_at:
        raise ValueError("end time must not be before start time")
    return Silence(
        *(command.id, sets, command.starts_at, command.ends_at),
        *(command.created_by, command.comment, dict(command.annotations), now),
    )


def unpacked_silence(name: str, entry: bytes) -> Silence:
    """The silence of a checkpoint's entry."""
    sets, starts_at, ends_at, created_by, comment, annotations, updated_at = ormsgpack.unpackb(
        entry
    )
    return Silence(
        name,
        tuple(
            tuple(Matcher(label, Operator(operator), value) for label, operator, value in matchers)
            for matchers in sets
        ),
        *(starts_at, ends_at, created_by, comment, annotations, updated_at),
    )


class SilenceBook:
    """The silences that are known, and which of them match an alert.

    What matches an alert is remembered; when silences come, only those are tried on it.
    """

    def __init__(self) -> None:
        self.known: dict[str, Silence] = {}
        self._forget_at: int | None = None
        self._version = 0
        self._versions: dict[str, int] = {}
        """The version at which each was set last, oldest first."""
        self._matching: dict[str, tuple[int, tuple[str, ...]]] = {}

    def put(self, silence: Silence) -> None:
        """Know this silence from now on, in place of the one with its id."""
        self.known[silence.id] = silence
        self._version += 1
        self._versions.pop(silence.id, None)
        self._versions[silence.id] = self._version
        at = silence.ends_at + RETENTION
        self._forget_at = at if self._forget_at is None else min(self._forget_at, at)

    def active(self, fingerprint: str, labels: Mapping[str, str], now: int) -> tuple[str, ...]:
        """The ids of the silences that hide this alert now, in order."""
        if not self.known:
            return ()
        found = self.matching(fingerprint, labels)
        return tuple(one for one in found if self.known[one].state_at(now) is SilenceState.ACTIVE)

    def matching(self, fingerprint: str, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The ids of the silences that match this alert, whatever state they are in, in order."""
        version, found = self._matching.get(fingerprint, (0, ()))
        if version == self._version:
            return found
        newer = []
        for name in reversed(self._versions):
            if self._versions[name] <= version:
                break
            newer.append(name)
        kept = [one for one in found if one in self.known and one not in newer]
        kept += [one for one in newer if self.known[one].matches(labels)]
        found = tuple(sorted(kept))
        self._matching[fingerprint] = (self._version, found)
        return found

    def forget_alert(self, fingerprint: str) -> None:
        """The alert is gone."""
        self._matching.pop(fingerprint, None)

    def forget_old(self, now: int) -> list[str]:
        """Drop the silences that expired long ago; their ids."""
        if self._forget_at is None or now < self._forget_at:
            return []
        old = [one.id for one in self.known.values() if one.ends_at + RETENTION <= now]
        for name in old:
            del self.known[name], self._versions[name]
        kept = (one.ends_at + RETENTION for one in self.known.values())
        self._forget_at = min(kept, default=None)
        self._version += 1
        return old
