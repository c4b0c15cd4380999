"""Spans of time, in ms, that decide what is raw and what is partial."""

LATENESS = 300_000
"""After which a sample goes to history alone: what ended longer ago changes no more."""
RAW_REACH = 7_200_000
"""How far back from an instant raw samples are kept at most."""
FARTHEST = 92 * 86_400_000
"""How far back partials are kept at most."""
MINUTE = 60_000
TEN_MINUTES = 600_000
DAY = 86_400_000
SLACK = 600_000
"""Beyond its reach a table keeps this much: a replay may be that far behind its checkpoint."""


def cell_of(time: int, resolution: int) -> int:
    """The number of the cell that begins at or before a time; cell c is (c·r, (c + 1)·r]."""
    return time // resolution


def shown(span: int) -> str:
    """A span as PromQL writes it: `1d`, `1h30m`, `10s`."""
    parts = []
    for unit, size in (("d", DAY), ("h", 3_600_000), ("m", MINUTE), ("s", 1_000), ("ms", 1)):
        count, span = divmod(span, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
