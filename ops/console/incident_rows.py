"""Incidents as rows of the page; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from notifiers.incidents.view import IncidentView
from ops.console.rows import ago

MOST_NAMES: Final = 5
_ORDER: Final = {"open": 0, "acknowledged": 1, "resolved": 2}


def incident_rows(found: Sequence[IncidentView], now: int, *, over: bool) -> list[dict[str, Any]]:
    """Incidents that are (`over`) or are not resolved; the open ones first, then the newest."""
    wanted = [one for one in found if (str(one.state) == "resolved") is over]
    ordered = sorted(wanted, key=lambda one: (_ORDER[str(one.state)], -one.opened_at, one.id))
    return [_row(one, now) for one in ordered]


def incidents_of_alerts(found: Sequence[IncidentView], now: int) -> dict[str, dict[str, str]]:
    """What the row of an alert says of its incident, by fingerprint.

    Of several it is an open one, else the newest; the rest are counted.
    """
    live = [one for one in found if str(one.state) != "resolved"]
    live.sort(key=lambda one: (_ORDER[str(one.state)], -one.opened_at, one.id))
    counts = Counter(alert.fingerprint for one in live for alert in one.alerts)
    rows: dict[str, dict[str, str]] = {}
    for one in live:
        whose = who(one, now)
        for alert in one.alerts:
            more = counts[alert.fingerprint] - 1
            said = f"{whose}; {more} more" if more else whose
            row = {"incident": one.id, "incident_state": str(one.state), "whose": said}
            rows.setdefault(alert.fingerprint, row)
    return rows


def _row(one: IncidentView, now: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": str(one.state),
        "title": title(one),
        "names": names_text(one) if one.labels else "",
        "receiver": ", ".join((one.receiver, *one.also)),
        "alerts": str(len(one.alerts)),
        "opened": f"{ago(now - one.opened_at)} ago",
        "who": who(one, now),
    }


def title(one: IncidentView) -> str:
    """What an incident is called: its group's labels, or its alerts, or those that opened it."""
    if one.labels:
        return labels_text(one.labels)
    # A resolved one has no alerts; its first line names those that opened it.
    opened = one.timeline[0].detail if one.timeline else ""
    return names_text(one) or opened or one.group_key


def names_text(one: IncidentView) -> str:
    """The names of its alerts; the first of many."""
    names = sorted({alert.labels.get("alertname", "") for alert in one.alerts} - {""})
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels; of a lone alert's name only the value."""
    if labels.keys() == {"alertname"}:
        return labels["alertname"]
    return " ".join(f"{name}={value}" for name, value in labels.items())


def who(one: IncidentView, now: int) -> str:
    """Who has it, or had it, and for how long."""
    if one.resolved_at is not None:
        by = f" by {one.resolved_by}" if one.resolved_by else ""
        wrong = ", a false positive" if one.false_positive else ""
        return f"resolved {ago(now - one.resolved_at)} ago{by}{wrong}"
    if one.acknowledged_at is not None:
        until = one.acknowledged_until
        left = "" if until is None else f", for {ago(until - now)} more"
        return f"{one.acknowledged_by} has it{left}"
    if one.next_step_at is not None:
        return f"nobody has it; escalates in {ago(one.next_step_at - now)}"
    return "nobody has it"


def alert_lines(one: IncidentView) -> list[dict[str, Any]]:
    """The alerts of an incident's group."""
    return [
        {
            "id": alert.fingerprint,
            "state": str(alert.state),
            "alert": alert.labels.get("alertname", alert.fingerprint),
            "labels": labels_text({k: v for k, v in alert.labels.items() if k != "alertname"}),
            "summary": alert.summary,
            "covered": "pages nobody" if alert.is_covered else "",
        }
        for alert in one.alerts
    ]


def timeline_lines(one: IncidentView) -> list[dict[str, str]]:
    """Its timeline, the newest first."""
    return [
        {
            "at": clock(line.at),
            "what": line.what,
            "by": line.by,
            "detail": line.detail,
        }
        for line in reversed(one.timeline)
    ]


def clock(at: int) -> str:
    """An instant, in UTC to the second."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%d %b %H:%M:%S UTC")
