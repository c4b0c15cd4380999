"""A small picture of an alert's value over time, as PNG (RFC 2083): a line over a filled area.

Drawn here, for a few hundred columns need no library of images. It has no words in it: what they
would say stands beside it as text.
"""

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

WIDTH, HEIGHT, MARGIN = 600, 120, 6
SPAN = 3_600_000
"""How far a picture goes back (ms)."""
LONGEST_GAP = 300_000
"""Levels are announced every minute; over a longer time without one nothing is drawn (ms)."""
MOST_POINTS = 5_000
_PAPER, _GRID, _AREA, _LINE = range(4)
_PALETTE = bytes([255, 255, 255, 221, 226, 230, 250, 226, 224, 179, 38, 30])
_THICK = 2

Point = tuple[int, float]
"""Milliseconds since 1970, and a value."""


class Charts(Protocol):
    """Where values of alerts are remembered."""

    def points(self, fingerprint: str, since: int, until: int) -> Sequence[Point]:
        """An alert's values in this time, in its order; none where nobody knows any.

        Returns within seconds, and raises nothing: a mail does not wait for its picture.
        """
        ...


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, and what it shows: from when to when (ms), and between which values."""

    png: bytes
    since: int
    until: int
    low: float
    high: float
    last: float


def drawn(points: Sequence[Point]) -> Chart | None:
    """The picture of these points; None where fewer than two differ: it would show nothing."""
    sound = [(at, value) for at, value in points[-MOST_POINTS:] if math.isfinite(value)]
    low, high = (f((value for _, value in sound), default=0.0) for f in (min, max))
    if low == high or not math.isfinite(high - low) or sound[0][0] >= sound[-1][0]:
        return None
    since, until = sound[0][0], sound[-1][0]
    rows = [bytearray(WIDTH) for _ in range(HEIGHT)]
    for part in range(5):
        y = MARGIN + part * (HEIGHT - 2 * MARGIN - 1) // 4
        rows[y][:] = bytes([_GRID]) * WIDTH
    scale = (HEIGHT - 2 * MARGIN - 1) / (high - low)
    before: tuple[int, int] | None = None
    for x, value in _columns(sound, since, until):
        y = HEIGHT - MARGIN - 1 - round((value - low) * scale)
        for below in range(y, HEIGHT - MARGIN):
            rows[below][x] = _AREA
        joined = before is not None and before[0] == x - 1
        top, bottom = sorted((y, before[1] if joined and before is not None else y))
        for line in range(top, min(bottom + _THICK, HEIGHT)):
            rows[line][x] = _LINE
        before = (x, y)
    return Chart(_png(rows), since, until, low, high, sound[-1][1])


def _columns(points: Sequence[Point], since: int, until: int) -> Iterator[tuple[int, float]]:
    """The value at each column that two near points enclose, from left to right."""
    step = (until - since) / (WIDTH - 1)
    column = 0
    for (start, first), (end, last) in pairwise(points):
        while column < WIDTH and (at := since + column * step) <= end:
            if at >= start and end - start <= LONGEST_GAP:
                share = (at - start) / (end - start) if end > start else 1.0
                yield column, first + (last - first) * share
            column += 1


def _png(rows: Sequence[bytearray]) -> bytes:
    """One byte a pixel, an index into the palette."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    content = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    chunks = ((b"IHDR", header), (b"PLTE", _PALETTE), (b"IDAT", content), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
