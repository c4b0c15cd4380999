"""What a cause is in words: who silenced, until when, and why."""

from dataclasses import dataclass

from notifiers.explain.times import clock
from notifiers.group import Line
from notifiers.incidents.incident import IncidentState
from notifiers.state import State
from notifiers.storms import limits


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that keeps an alert from being told; `until` (ms) if it ends at a known time."""

    cause: str
    text: str
    until: int | None = None


def cause(state: State, text: str, now: int) -> Cause:
    """The cause of this text (`silence/ID`, …), as well as the router still knows it."""
    kind, _, name = text.partition("/")
    match kind:
        case "silence":
            return _silence(state, text, name, now)
        case "window":
            return _window(state, text, name, now)
        case "alert":
            return Cause(text, f"inhibited by {alert_name(state, name)}")
        case "parent":
            return Cause(text, f"explained by {alert_name(state, name)}, on which it depends")
        case "time":
            return Cause(text, f"muted by the time interval {name} of the route")
        case "ack":
            return _ack(state, text, name, now)
        case "receiver":
            return Cause(text, f"routed to receiver {name} that has no channels")
    return Cause(text, f"held by {text}")


def limited(state: State, line: Line, now: int) -> Cause:
    """A rate limit keeps the channel for its next digest."""
    queue = state.limits.known.get(line.id)
    until = None if queue is None else queue.wake
    due = "" if until is None else f", due at {clock(until, now)}"
    whose = line.receiver if queue is None else limits.binding(state, queue)
    said = f"held by the rate limit of {whose} for its next digest{due}"
    return Cause(f"limit/{line.receiver}", said, until)


def damped(state: State, fingerprint: str, now: int) -> Cause | None:
    """The alert flaps: what it does is told once it is stable."""
    flaps = state.flaps.flapping.get(fingerprint)
    if flaps is None:
        return None
    until = "" if flaps.until is None else f" until {clock(flaps.until, now)} at least"
    return Cause("flapping", f"its changes are held{until}, for it flaps", flaps.until)


def alert_name(state: State, fingerprint: str) -> str:
    """An alert by its labels, or by its fingerprint if it is forgotten."""
    alert = state.alerts.get(fingerprint)
    level = None if alert is None else alert.shown
    return fingerprint if level is None else titled(level.labels)


def titled(labels: dict[str, str]) -> str:
    """An alert's name with its other labels."""
    others = [f"{name}={value}" for name, value in sorted(labels.items()) if name != "alertname"]
    named = labels.get("alertname", "") or "an alert without a name"
    return f"{named} ({', '.join(others)})" if others else named


def _silence(state: State, text: str, name: str, now: int) -> Cause:
    found = state.silences.known.get(name)
    if found is None:
        return Cause(text, f"silenced by {name}")
    why = f": {found.comment}" if found.comment else ""
    by = f" of {found.created_by}" if found.created_by else ""
    said = f"silenced by {name}{by} until {clock(found.ends_at, now)}{why}"
    return Cause(text, said, found.ends_at)


def _window(state: State, text: str, name: str, now: int) -> Cause:
    found = state.windows.known.get(name)
    if found is None:
        return Cause(text, f"in the maintenance window {name}")
    until = found.changes_after(now) if found.holds(now) else found.expires_at
    ends = "" if until is None else f" until {clock(until, now)}"
    why = f": {found.wish.comment}" if found.wish.comment else ""
    return Cause(text, f"in the maintenance window {name} of {found.wish.owner}{ends}{why}", until)


def _ack(state: State, text: str, name: str, now: int) -> Cause:
    found = state.incidents.known.get(name)
    if found is None:
        return Cause(text, f"acknowledged in incident {name}")
    if found.state is IncidentState.RESOLVED:
        by = f" by {found.resolved_by}" if found.resolved_by else ""
        return Cause(text, f"resolved by hand{by} in incident {name}")
    until = found.acknowledged_until
    ends = "" if until is None else f" until {clock(until, now)}"
    return Cause(text, f"acknowledged by {found.acknowledged_by}{ends} in incident {name}", until)
