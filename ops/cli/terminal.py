"""Text for a terminal: hostile text shows its control characters and does nothing."""

import io
import sys
from collections.abc import Sequence

from ops.logs import one_line

MAX_CELL = 100


def speak_safely() -> None:
    """What a terminal's encoding does not have is written out, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def complain(text: str) -> None:
    """Lines to standard error."""
    for line in text.splitlines() or [""]:
        print(one_line(line), file=sys.stderr)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns, left-aligned, two spaces between them."""
    cells = [[_cell(text) for text in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join(lines)


def age(milliseconds: int) -> str:
    """How long ago, in two units at most: `3d4h`, `2m10s`."""
    seconds = max(0, milliseconds // 1_000)
    units = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
    parts: list[str] = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count}{name}" if count else "")
        if len(parts) == 2:
            break
    return "".join(parts) or "0s"


def _cell(text: str) -> str:
    safe = one_line(text)
    return safe if len(safe) <= MAX_CELL else f"{safe[: MAX_CELL - 1]}…"
