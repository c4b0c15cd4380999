"""Silences and windows as rows of the page, and a preview as lines; pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from notifiers.incidents.view import IncidentView
from notifiers.matcher import Matcher, Operator
from notifiers.time_intervals import TimeInterval, zone
from notifiers.view import SilenceView
from notifiers.windows.spans import Repetition, Span
from notifiers.windows.view import WindowView
from notifiers.windows.window import Window, WindowKind
from ops.console.rows import ago
from ops.maintenance import Preview

_ORDER: Final = {"active": 0, "pending": 1, "expired": 2}
_DAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
MOST_NAMED: Final = 20
"""Alerts that a preview names."""


def hidden_rows(
    silences: Sequence[SilenceView], windows: Sequence[WindowView], now: int, *, over: bool
) -> list[dict[str, Any]]:
    """Silences and windows that are (`over`) or are not over; the active ones first."""
    rows = [_silence_row(one, now) for one in silences]
    rows += [_window_row(one, now) for one in windows]
    wanted = [row for row in rows if (row["state"] == "expired") is over]
    return sorted(wanted, key=lambda row: (_ORDER[row["state"]], _place(row, over), row["id"]))


def _place(row: dict[str, Any], over: bool) -> int:
    return -int(row["sort"]) if over else int(row["sort"])


def _silence_row(view: SilenceView, now: int) -> dict[str, Any]:
    silence = view.silence
    span = Span(silence.starts_at, silence.ends_at)
    return {
        "id": silence.id,
        "kind": "silence",
        "state": str(view.state),
        "matchers": matchers_text(silence.sets),
        "when": _when(str(view.state), span, now),
        "detail": span_text(span, "UTC"),
        "owner": silence.created_by,
        "comment": silence.comment,
        "sort": silence.ends_at,
    }


def _window_row(view: WindowView, now: int) -> dict[str, Any]:
    window, state = view.window, str(view.state)
    span = view.spans[0] if view.spans else None
    if state == "expired":
        span = Span(window.wish.starts_at, window.wish.ends_at or now)
    idle = "waits for a deploy" if window.kind is WindowKind.DEPLOY else "not in the next 400 days"
    return {
        "id": window.id,
        "kind": str(window.kind),
        "state": state,
        "matchers": matchers_text(window.sets),
        "when": idle if span is None else _when(state, span, now),
        "detail": schedule_text(window)
        or (span_text(span, location_of(window)) if span is not None else ""),
        "owner": window.wish.owner,
        "comment": window.wish.comment,
        "sort": now if span is None else span.end,
    }


def matchers_text(sets: Sequence[Sequence[Matcher]]) -> str:
    """Matchers, sets apart by `or`."""
    return " or ".join(" ".join(map(str, matchers)) for matchers in sets)


def incident_matchers(one: IncidentView) -> list[str]:
    """Matchers that hide the alerts of an incident: the labels that all of them have.

    Where they have none in common, or there are none, those of the group.
    """
    every = [set(alert.labels.items()) for alert in one.alerts]
    shared = set.intersection(*every) if every else set()
    pairs = sorted(shared or one.labels.items())
    return [str(Matcher(name, Operator.EQUAL, value)) for name, value in pairs]


def schedule_text(window: Window) -> str:
    """When a window that recurs, or waits for deploys, holds; empty for one that comes once."""
    if window.kind is WindowKind.DEPLOY and window.wish.timeout is not None:
        service = f" of {window.wish.service}" if window.wish.service else ""
        return f"deploys{service}, at most {_length(window.wish.timeout)}"
    parts = [_repeat_text(one) for one in window.repeats]
    parts += [_calendar_text(one) for one in window.calendars]
    return "; ".join(parts)


def _repeat_text(one: Repetition) -> str:
    days = ", ".join(_DAYS[day] for day in one.weekdays) or "every day"
    clock = f"{one.minute // 60:02}:{one.minute % 60:02}"
    return f"{days} {clock} for {_length(one.length)}, {one.location}"


def _calendar_text(one: TimeInterval) -> str:
    given = {
        "times": one.times,
        "weekdays": one.weekdays,
        "days of month": one.days_of_month,
        "months": one.months,
        "years": one.years,
    }
    named = [name for name, ranges in given.items() if ranges is not None]
    return f"calendar ({', '.join(named) or 'always'}), {one.location}"


def location_of(window: Window) -> str:
    """The time zone in which its owner thinks."""
    places = [one.location for one in window.repeats]
    places += [one.location for one in window.calendars]
    return places[0] if places else "UTC"


def preview_lines(found: Preview) -> list[str]:
    """What a window would do, a sentence a line."""
    lines = [f"Hides {len(found.hides)} of {found.reach.known} alerts now."]
    for alert in found.hides[:MOST_NAMED]:
        where = alert.labels.get("instance") or alert.labels.get("service", "")
        name = alert.labels.get("alertname", alert.fingerprint)
        lines.append(f"{alert.state}: {name} {where}".rstrip())
    if (more := len(found.hides) - MOST_NAMED) > 0:
        lines.append(f"and {more} more")
    return lines


def span_lines(found: Preview) -> list[tuple[str, str]]:
    """Its next spans, as clocks there and in Greenwich show them."""
    place = location_of(found.window)
    return [(span_text(span, place), span_text(span, "UTC")) for span in found.spans]


def span_text(span: Span, location: str) -> str:
    """`Tue 21 Nov 02:00 – 04:00 CET`."""
    first, last = (
        datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone(location))
        for at in (span.start, span.end)
    )
    same = first.date() == last.date()
    start = first.strftime("%a %d %b %H:%M" if same else "%a %d %b %Y %H:%M")
    return f"{start} – {last.strftime('%H:%M' if same else '%a %d %b %Y %H:%M')} {last.tzname()}"


def _when(state: str, span: Span, now: int) -> str:
    if state == "active":
        return f"ends in {ago(span.end - now)}"
    return (
        f"begins in {ago(span.start - now)}"
        if state == "pending"
        else f"over for {ago(now - span.end)}"
    )


def _length(milliseconds: int) -> str:
    """`2h`, where a stretch of the past would be `2h 0m`."""
    return re.sub(r" 0[a-z]+$", "", ago(milliseconds))
