"""Durations as promtool's messages write them."""

_UNITS = (
    ("y", 365 * 86_400_000, True),
    ("w", 7 * 86_400_000, True),
    ("d", 86_400_000, False),
    ("h", 3_600_000, False),
    ("m", 60_000, False),
    ("s", 1000, False),
    ("ms", 1, False),
)


def text(milliseconds: int) -> str:
    """`1h30m`; years and weeks only where nothing is left over."""
    if milliseconds == 0:
        return "0s"
    found, left = "", milliseconds
    for unit, size, exact in _UNITS:
        if exact and left % size:
            continue
        count, left = divmod(left, size)
        found += f"{count}{unit}" if count else ""
    return found
