"""Instants and lengths of time as people read them; times are UTC."""

from datetime import UTC, datetime

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))


def clock(at: int, now: int) -> str:
    """The time of day, with the date unless it is today's; seconds where they say something."""
    try:
        then, today = (datetime.fromtimestamp(one / 1_000, UTC) for one in (at, now))
    except (OverflowError, ValueError, OSError):
        return "another age"
    shown = then.strftime("%H:%M:%S" if then.second else "%H:%M")
    return shown if then.date() == today.date() else f"{then:%Y-%m-%d} {shown}"


def length(ms: int) -> str:
    """In two units at most: `40 s`, `2 m 5 s`, `35 ms`."""
    if ms < 1_000:
        return f"{max(0, ms)} ms"
    if ms < 10_000 and ms % 1_000:
        return f"{ms / 1_000:.1f} s"
    parts: list[str] = []
    for size, name in _UNITS:
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count} {name}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)
