"""The router's state under its keys, so written that any prefix of a step's changes restores.

A step that changes one entry writes that entry. A step that changes several writes them first,
together, under one of two `journal` keys in turn, then each under its own key, then `meta`.
Every value says up to which offset it has read. Whoever restores completes the last journal over
the entries: so the state is always that before a step or that after it, and a replay skips what
is at or before its offset.
Changes must be written in the order given (a transaction may of course write them at once).
What a journal said and a crash kept from being written is written with the next step. Where every
commit is one transaction (`atomic`) the journal would only be written twice, so there is none.

Where a topic was made anew offsets begin again, and what was written before says higher ones. So
values say *places*, which only grow: offsets of this topic begin at the place that `meta` holds.

Values longer than a message may be are cut into parts: `KEY`, `KEY#1`, `KEY#2`, …
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ormsgpack

from schemas.stage import StateChange

PART = 400_000
JOURNALS = ("journal/0", "journal/1")
META = "meta"


@dataclass(frozen=True, slots=True)
class _Raw:
    """A stored part: the place and the clock it has seen, how many parts, and its bytes."""

    seen: int
    now: int
    parts: int
    content: bytes


@dataclass(slots=True)
class Checkpoint:
    """Reads and writes entries; remembers only how many parts each has that has several."""

    part: int = PART
    atomic: bool = False
    parts: dict[str, int] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)
    unwritten: dict[str, bytes | None] = field(default_factory=dict)
    slot: int = 0
    """The journal to be written next: never the one that may still be needed."""
    seen: int = -1
    """The newest offset that was read."""
    now: int = 0
    begin: int = 0
    """The place of the topic's offset 0."""
    last: int = -1
    """The newest place in what was restored, a journal that was not written whole included."""

    def restore(self, key: str, value: bytes) -> None:
        """Take one stored part."""
        self.raw[key] = value

    def load(self) -> dict[str, bytes]:
        """The entries, by key, as they were after the last step that was written completely."""
        raw, self.raw = self.raw, {}
        stored = {key: _Raw(*ormsgpack.unpackb(value)) for key, value in raw.items()}
        self.parts = {key: stored[key].parts for key in JOURNALS if key in stored}
        mine = {key: one for key, one in stored.items() if not key.startswith(JOURNALS)}
        self.last = max((one.seen for one in stored.values()), default=-1)
        place = max((one.seen for one in mine.values()), default=-1)
        self.now = max((one.now for one in mine.values()), default=0)
        newest = max(
            (key for key in JOURNALS if _join(stored, key) is not None),
            key=lambda key: stored[key].seen,
            default=None,
        )
        if newest is not None and stored[newest].seen >= place:
            self.slot = 1 - JOURNALS.index(newest)
            place, self.now = stored[newest].seen, max(self.now, stored[newest].now)
            for key, value in ormsgpack.unpackb(_join(stored, newest) or b""):
                if raw.get(key) != value:
                    self.unwritten[key] = value
                if value is None:
                    mine.pop(key, None)
                else:
                    mine[key] = _Raw(*ormsgpack.unpackb(value))
        if META in mine and mine[META].content:
            self.begin = ormsgpack.unpackb(mine[META].content)
        self.seen = place - self.begin
        entries = {}
        for key in sorted(mine):
            if "#" in key or key == META:
                continue
            content = _join(mine, key)
            if content is not None:
                entries[key] = content
                if mine[key].parts > 1:
                    self.parts[key] = mine[key].parts
        return entries

    def begin_again(self) -> list[StateChange]:
        """Offsets begin anew, and none was seen; what says so, to be written with the first one."""
        self.begin, self.seen = max(self.last, self.begin + self.seen) + 1, -1
        # Last: once it is there, no journal is new enough to be completed.
        changed, self.unwritten = self.unwritten, {}
        return [*(StateChange(*change) for change in changed.items()), self._meta()]

    def changes(
        self, entries: Mapping[str, bytes | None], seen: int, now: int
    ) -> list[StateChange]:
        """What is to be written for these new entries (None removes), in this order."""
        if not entries:
            return []
        self.seen, self.now = seen, now
        place = self.begin + seen
        changed, self.unwritten = self.unwritten, {}
        for key, content in entries.items():
            if content is not None and len(content) <= self.part and key not in self.parts:
                changed[key] = ormsgpack.packb([place, now, 1, content])
            else:
                changed.update(self._parts(key, content))
        raw = list(changed.items())
        if len(raw) == 1 and raw[0][1] is not None:
            return [StateChange(*raw[0])]
        if self.atomic:
            return [*(StateChange(*change) for change in raw), self._meta()]
        journal = self._parts(JOURNALS[self.slot], ormsgpack.packb(raw))
        self.slot = 1 - self.slot
        needed = [change for change in journal if change[1] is not None]
        left_over = [change for change in journal if change[1] is None]
        return [
            *(StateChange(*change) for change in (*needed, *raw)),
            self._meta(),
            *(StateChange(*change) for change in left_over),
        ]

    def _meta(self) -> StateChange:
        content = ormsgpack.packb(self.begin) if self.begin else b""
        return StateChange(META, ormsgpack.packb([self.begin + self.seen, self.now, 1, content]))

    def _parts(self, key: str, content: bytes | None) -> list[tuple[str, bytes | None]]:
        before = self.parts.pop(key, 0)
        if content is None:
            return [(_name(key, number), None) for number in range(max(before, 1))]
        count = max(1, -(-len(content) // self.part))
        if count > 1:
            self.parts[key] = count
        written: list[tuple[str, bytes | None]] = [
            (
                _name(key, number),
                ormsgpack.packb(
                    [
                        self.begin + self.seen,
                        self.now,
                        count,
                        content[number * self.part : (number + 1) * self.part],
                    ]
                ),
            )
            for number in range(count)
        ]
        return written + [(_name(key, number), None) for number in range(count, before)]


def entries_under(prefix: str, stored: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """The entries of one prefix, by name; `stored` may hold no more than its keys."""
    checkpoint, prefix = Checkpoint(), f"{prefix}/"
    for key, value in stored:
        checkpoint.restore(key, value)
    found = checkpoint.load().items()
    return {key.removeprefix(prefix): entry for key, entry in found if key.startswith(prefix)}


def _name(key: str, number: int) -> str:
    return f"{key}#{number}" if number else key


def _join(stored: Mapping[str, _Raw], key: str) -> bytes | None:
    """The whole content, or None where a part is missing or of another step."""
    first = stored.get(key)
    if first is None:
        return None
    parts = [stored.get(_name(key, number)) for number in range(first.parts)]
    whole = [part.content for part in parts if part is not None and part.seen == first.seen]
    return b"".join(whole) if len(whole) == first.parts else None
