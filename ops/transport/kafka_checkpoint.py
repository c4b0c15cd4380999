"""A stage's checkpoint in a compacted topic: its entries, cut where they are large, and the offset.

Every value begins with a mark: `_WHOLE`, or `_CUT` and the number of pieces that lie under keys of
their own. Entries of one commit are one transaction, so pieces always fit their count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import ormsgpack

from schemas.stage import StateChange

OFFSET = b"\x00offset"
"""The key of the offset to go on at. No state key begins with a zero byte."""
PIECE = 800_000
"""Bytes; below any topic's limit for one message."""
_WHOLE, _CUT = b"\x00", b"\x01"
_SEPARATOR = b"\x00"


@dataclass(slots=True)
class Checkpoint:
    """What a stage begins with: `next` is None before the first commit."""

    next: int | None = None
    topic: str = ""
    """Which topic the offset is of, by the cluster's own name for it; one made anew has another."""
    mark: str = ""
    """Whose commit it was, and which, so that one whose answer was lost can be recognised."""
    state: list[tuple[str, bytes]] = field(default_factory=list)
    pieces: dict[str, int] = field(default_factory=dict)
    """How many pieces a large entry has."""


def read(entries: Sequence[tuple[bytes, bytes]]) -> Checkpoint:
    """Put together what the newest value under each key says."""
    found = dict(entries)
    checkpoint = Checkpoint()
    for key, value in sorted(found.items()):
        if key == OFFSET:
            checkpoint.next, checkpoint.mark, checkpoint.topic = ormsgpack.unpackb(value)
        elif _SEPARATOR in key:
            continue
        elif value[:1] == _CUT:
            name = key.decode()
            count = checkpoint.pieces[name] = int(ormsgpack.unpackb(value[1:]))
            joined = b"".join(found[_piece(key, number)] for number in range(count))
            checkpoint.state.append((name, joined))
        else:
            checkpoint.state.append((key.decode(), value[1:]))
    return checkpoint


def written(
    next_: int, mark: str, topic: str, changes: Sequence[StateChange], pieces: dict[str, int]
) -> Iterator[tuple[bytes, bytes | None]]:
    """Keys and values of a commit, None removes; keeps `pieces` up to date."""
    for change in changes:
        key = change.key.encode()
        before = pieces.pop(change.key, 0)
        count = 0
        if change.value is None:
            yield key, None
        elif len(change.value) < PIECE:
            yield key, _WHOLE + change.value
        else:
            starts = range(0, len(change.value), PIECE)
            count = pieces[change.key] = len(starts)
            for number, start in enumerate(starts):
                yield _piece(key, number), change.value[start : start + PIECE]
            yield key, _CUT + ormsgpack.packb(count)
        for number in range(count, before):
            yield _piece(key, number), None
    yield OFFSET, ormsgpack.packb([next_, mark, topic])


def _piece(key: bytes, number: int) -> bytes:
    return key + _SEPARATOR + b"%06d" % number
