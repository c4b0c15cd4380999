"""A group of alerts on its way to a receiver, and what each channel of that was told."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import ormsgpack

from notifiers.needs_telling import Entry
from schemas.deliveries import Why
from schemas.labels import derived_id


@dataclass(slots=True)
class Outstanding:
    """A delivery without a final receipt. `wake`: when to send again if nothing is heard."""

    id: str
    at: int
    why: Why
    firing: frozenset[str]
    resolved: frozenset[str]
    revision: int
    attempt: int
    expires_at: int
    wake: int
    digest: str


@dataclass(slots=True)
class Line:
    """One channel of a receiver, for one group.

    `done` is the group's revision up to which it has nothing more to hear. `waiting` is a flush
    that came while a delivery was outstanding. `sequence` numbers its decisions, `failures`
    counts attempts that failed in a row. `held` is the digest of what its newest record said of
    held alerts (see `holding`). `owed` (only with `suppression: tocsin`): alerts that
    were told to fire, were muted since, and whose end must be told. `forced` is what it is to be
    told at the next chance even if nothing in the group changed. `reference` is an incident, and
    what the channel calls it (a thread, an issue).
    """

    receiver: str
    kind: str
    index: int
    told: Entry | None = None
    done: int = 0
    waiting: int | None = None
    why: Why | None = None
    sequence: int = 0
    failures: int = 0
    outstanding: Outstanding | None = None
    owed: frozenset[str] = frozenset()
    forced: Why | None = None
    reference: tuple[str, str] = ("", "")
    held: str = ""
    limited: int | None = None
    """Since when (ms) a rate limit keeps it for the next digest."""
    notice: str = ""
    """What its next escalation says besides the alerts."""
    refused: str = ""
    """Why its newest message was refused, if it was."""

    @property
    def id(self) -> str:
        """Which channel."""
        return line_id(self.receiver, self.kind, self.index)

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        told, out = self.told, self.outstanding
        return ormsgpack.packb(
            [
                [self.receiver, self.kind, self.index],
                None if told is None else [_pack(told.firing), _pack(told.resolved), told.at],
                [self.done, self.waiting, self.why, self.sequence, self.failures],
                None
                if out is None
                else [
                    *(out.id, out.at, out.why, _pack(out.firing), _pack(out.resolved)),
                    *(out.revision, out.attempt, out.expires_at, out.wake, out.digest),
                ],
                _pack(self.owed),
                self.forced,
                self.reference,
                self.held,
                self.limited,
                self.notice,
                self.refused,
            ]
        )


@dataclass(slots=True)
class Group:
    """Alerts that are told together. `due` is its next flush; `members` is kept by the alerts.

    `revision` counts the changes of members; each member has that of its last change.
    `held` are the causes for which firing members are muted (only with `suppression: tocsin`).
    """

    id: str
    key: str
    route_id: str
    receiver: str
    labels: tuple[tuple[str, str], ...]
    due: int
    revision: int = 0
    flushed: bool = False
    held: tuple[str, ...] = ()
    members: dict[str, int] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    firing: frozenset[str] | None = None
    """The members that fire, where none has changed since it was worked out (`State.firing`)."""

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *(self.key, self.route_id, self.receiver, self.labels),
                *(self.due, self.revision, self.flushed, self.held),
            ]
        )


_OLDER: list[Any] = [b"", None, ("", ""), "", None, "", ""]
"""What lines lack that an older version wrote."""


@lru_cache(maxsize=4_096)
def line_id(receiver: str, kind: str, index: int) -> str:
    """The name of a channel in state keys."""
    return derived_id(receiver, kind, index)


def unpacked_group(group_id: str, entry: bytes) -> Group:
    """The group of a checkpoint's entry, without members and lines."""
    key, route_id, receiver, labels, due, revision, flushed, *held = ormsgpack.unpackb(entry)
    pairs = tuple((name, value) for name, value in labels)
    causes = tuple(held[0]) if held else ()
    return Group(group_id, key, route_id, receiver, pairs, due, revision, flushed, causes)


def unpacked_line(entry: bytes) -> Line:
    """The line of a checkpoint's entry."""
    older: list[Any] = ormsgpack.unpackb(entry)
    (receiver, kind, index), told, numbers, out, owed, forced, reference, *newer = (
        *older,
        *_OLDER[len(older) - 4 :],
    )
    done, waiting, why, sequence, failures = numbers
    return Line(
        receiver,
        kind,
        index,
        None if told is None else Entry(_unpack(told[0]), _unpack(told[1]), told[2]),
        done,
        waiting,
        None if why is None else Why(why),
        sequence,
        failures,
        None
        if out is None
        else Outstanding(
            *(out[0], out[1], Why(out[2]), _unpack(out[3]), _unpack(out[4])),
            *out[5:],
        ),
        _unpack(owed),
        None if forced is None else Why(forced),
        (reference[0], reference[1]),
        *newer,
    )


def _pack(fingerprints: frozenset[str]) -> bytes:
    return bytes.fromhex("".join(sorted(fingerprints)))


def _unpack(packed: bytes) -> frozenset[str]:
    text = packed.hex()
    return frozenset(text[at : at + 16] for at in range(0, len(text), 16))
