"""Samples and alerts as promtool writes them, which scripts read."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from processors.promql.labels import Labels
from schemas.templates.numbers import exponential
from schemas.templates.quoting import quoted

_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
Sample: TypeAlias = tuple[Labels, float]
Alert: TypeAlias = tuple[Labels, Labels]
"""Labels and annotations."""


def labels(pairs: Labels) -> str:
    """`{a="b", "c d"="e"}`."""
    return "{" + ", ".join(f"{_name(name)}={quoted(value)}" for name, value in pairs) + "}"


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)


def samples(found: Iterable[Sample]) -> str:
    """`{a="b"} 1E+00, …`."""
    return ", ".join(f"{labels(pairs)} {exponential(value)}" for pairs, value in found) or "nil"


def alerts(found: Sequence[Alert], indent: str) -> str:
    """A list over several lines, indented but for its first."""
    if not found:
        return "[]"
    shown = ",\n".join(
        f"{number}:\n  Labels:{labels(own)}\n  Annotations:{labels(notes)}"
        for number, (own, notes) in enumerate(found)
    )
    return f"[\n{shown}\n]".replace("\n", f"\n{indent}")
