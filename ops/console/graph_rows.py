"""What an expression gives, as lines of a chart and rows of a table; pure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ops.console.rows import MAX_LINES, figure
from ops.services import QueryResult, Series

MOST_ROWS: Final = 200
STRETCHES: Final[Mapping[str, tuple[int, int]]] = {
    "15m": (900_000, 5_000),
    "1h": (3_600_000, 15_000),
    "6h": (21_600_000, 60_000),
    "1d": (86_400_000, 300_000),
}
"""How far back one can look, and the step: both in ms."""


def named(labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it."""
    rest = ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return labels.get("__name__", "") + (f"{{{rest}}}" if rest or "__name__" not in labels else "")


def lines_of(series: Sequence[Series]) -> list[dict[str, Any]]:
    """ECharts' lines, one a series, by name; what is no number is a gap."""
    ordered = sorted((named(labels), points) for labels, points in series)
    return [
        {
            "id": name,
            "name": name,
            "type": "line",
            "showSymbol": len(points) == 1,
            "lineStyle": {"width": 2},
            "data": [[at, value if math.isfinite(value) else None] for at, value in points],
        }
        for name, points in ordered[:MAX_LINES]
    ]


def value_rows(result: QueryResult) -> list[dict[str, str]]:
    """One row a series, with its value now."""
    ordered = sorted((named(labels), value) for labels, value in result.samples)
    return [{"id": name, "series": name, "value": figure(value)} for name, value in ordered]


def count_text(rows: int) -> str:
    """How many series there are now, and what is left out."""
    if not rows:
        return "Nothing matches now."
    text = "1 series" if rows == 1 else f"{rows:,} series"
    if rows > MAX_LINES:
        text += f"; the chart shows {MAX_LINES}"
    if rows > MOST_ROWS:
        text += f", the table {MOST_ROWS}"
    return text
