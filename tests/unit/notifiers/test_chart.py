import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channels.chart import HEIGHT, LONGEST_GAP, MARGIN, WIDTH, Chart, Point, drawn

LINE, AREA = 3, 2
MINUTE = 60_000


def pixels(png: bytes) -> list[bytes]:
    """The picture's rows; fails on what is no PNG of one byte a pixel."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, kinds = 8, b"", []
    while at < len(png):
        size = struct.unpack(">I", png[at : at + 4])[0]
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            kind + body
        )
        kinds.append(kind)
        data += body if kind == b"IDAT" else b""
        at += 12 + size
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    raw = zlib.decompress(data)
    assert len(raw) == HEIGHT * (WIDTH + 1)
    rows = [raw[n * (WIDTH + 1) : (n + 1) * (WIDTH + 1)] for n in range(HEIGHT)]
    assert all(row[0] == 0 for row in rows)
    return [row[1:] for row in rows]


def height(rows: list[bytes], x: int) -> int | None:
    """Where the line begins in this column."""
    return next((y for y, row in enumerate(rows) if row[x] == LINE), None)


def chart(points: list[Point]) -> Chart:
    found = drawn(points)
    assert found is not None
    return found


def test_a_rising_value_is_a_line_from_the_lower_left_to_the_upper_right() -> None:
    found = chart([(n * MINUTE, float(n)) for n in range(60)])
    rows = pixels(found.png)
    assert height(rows, 0) == HEIGHT - MARGIN - 1
    assert height(rows, WIDTH - 1) == MARGIN
    middle = height(rows, WIDTH // 2)
    assert middle is not None
    assert abs(middle - HEIGHT // 2) <= 2
    assert rows[HEIGHT - MARGIN - 1][WIDTH - 1] == AREA
    assert (found.low, found.high, found.last, found.until) == (0.0, 59.0, 59.0, 59 * MINUTE)


def test_where_nothing_was_said_nothing_is_drawn() -> None:
    late = 2 * LONGEST_GAP
    rows = pixels(chart([(0, 1.0), (MINUTE, 2.0), (late, 2.0), (late + MINUTE, 1.0)]).png)
    assert height(rows, 0) is not None
    assert height(rows, WIDTH // 2) is None
    assert height(rows, WIDTH - 1) is not None


@pytest.mark.parametrize(
    "points",
    [[], [(0, 1.0)], [(0, 1.0), (MINUTE, 1.0)], [(0, math.nan), (MINUTE, 1.0)], [(0, 1), (0, 2)]],
)
def test_what_would_show_nothing_is_not_drawn(points: list[Point]) -> None:
    assert drawn(points) is None


@given(st.lists(st.tuples(st.integers(0, 2**41), st.floats())))
def test_no_value_breaks_it(points: list[Point]) -> None:
    found = drawn(sorted(points, key=lambda point: point[0]))
    if found is not None:
        pixels(found.png)
