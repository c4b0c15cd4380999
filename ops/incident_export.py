"""An incident as a document: JSON for programs, Markdown for people."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from notifiers.incidents.view import IncidentView
from ops.logs import one_line

_PLAIN: Final = frozenset(" ,'/=%;")
"""Punctuation that Markdown gives no meaning to."""
_IN_NUMBERS: Final = re.compile(r"(?<=[0-9])\\([-:])(?=[0-9])")
"""What needs no escape within dates and clocks, which people read in the source, too."""


def as_json(incident: IncidentView, *, whole: bool = True) -> dict[str, Any]:
    """Everything that is known; times in ms since 1970. Without `whole`, no alerts, no timeline."""
    body: dict[str, Any] = {
        "id": incident.id,
        "state": str(incident.state),
        "group_key": incident.group_key,
        "receiver": incident.receiver,
        "also": list(incident.also),
        "labels": incident.labels,
        "opened_at": incident.opened_at,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_until": incident.acknowledged_until,
        "resolved_at": incident.resolved_at,
        "resolved_by": incident.resolved_by,
        "false_positive": incident.false_positive,
        "escalation_policy": incident.policy,
        "next_step_at": incident.next_step_at,
        "alerts_known": len(incident.alerts),
    }
    if not whole:
        return body
    return body | {
        "alerts": [
            {
                "fingerprint": one.fingerprint,
                "state": str(one.state),
                "acknowledged": one.is_covered,
                "labels": one.labels,
                "summary": one.summary,
            }
            for one in incident.alerts
        ],
        "timeline": [
            {
                "number": line.number,
                "at": line.at,
                "what": line.what,
                "by": line.by,
                "detail": line.detail,
            }
            for line in incident.timeline
        ],
        "timeline_missing": incident.dropped,
    }


def markdown(incident: IncidentView) -> str:
    """A page about it; what comes from alerts and people is text and nothing else."""
    return "\n".join(_lines(incident)) + "\n"


def title(incident: IncidentView) -> str:
    """What it is about, in a few words: its group's labels."""
    named = ", ".join(f"{name}={value}" for name, value in sorted(incident.labels.items()))
    return named or incident.receiver


def clock(at: int | None) -> str:
    """An instant for people, in UTC; a dash for none."""
    if at is None:
        return "–"
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def escaped(text: str) -> str:
    """The text, so that Markdown and the HTML made of it show it as it is, in one line."""
    marked = "".join(
        _ENTITIES.get(c) or (c if c.isalnum() or c in _PLAIN or not c.isascii() else f"\\{c}")
        for c in one_line(text)
    )
    return _IN_NUMBERS.sub(r"\1", marked)


_ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def _lines(incident: IncidentView) -> Iterator[str]:
    yield f"# Incident {escaped(title(incident))}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    rows = {
        "Id": incident.id,
        "State": f"{incident.state}{', a false positive' if incident.false_positive else ''}",
        "Receiver": ", ".join((incident.receiver, *incident.also)),
        "Opened": clock(incident.opened_at),
        "Acknowledged": _by(incident.acknowledged_at, incident.acknowledged_by),
        "Acknowledged until": clock(incident.acknowledged_until),
        "Resolved": _by(incident.resolved_at, incident.resolved_by),
        "Escalation policy": incident.policy or "–",
    }
    for name, value in rows.items():
        yield f"| {name} | {escaped(value)} |"
    if incident.alerts:
        yield from ("", "## Alerts", "", "| State | Alert | Summary |", "|---|---|---|")
    for one in incident.alerts:
        labels = ", ".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
        state = f"{one.state}, acknowledged" if one.is_covered else str(one.state)
        yield f"| {state} | {escaped(labels)} | {escaped(one.summary)} |"
    yield from ("", "## Timeline", "", "| When | What | Who | Detail |", "|---|---|---|---|")
    for line in incident.timeline:
        cells = (clock(line.at), line.what, line.by, line.detail)
        yield f"| {' | '.join(map(escaped, cells))} |"
    if incident.dropped:
        yield from ("", f"{incident.dropped} lines are not kept here; history may have them.")


def _by(at: int | None, who: str) -> str:
    return f"{clock(at)} by {who}" if at is not None and who else clock(at)
