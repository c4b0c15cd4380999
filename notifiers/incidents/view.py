"""Incidents as people and programs see them."""

from collections.abc import Iterable
from dataclasses import dataclass

from notifiers.incidents.incident import Incident
from notifiers.incidents.lifecycle import life
from notifiers.incidents.timeline import Happening
from notifiers.state import State
from schemas.alerts import AlertState
from schemas.incidents import IncidentState


@dataclass(frozen=True, slots=True)
class AlertBrief:
    """An alert of an incident's group; whoever covers it, it pages nobody."""

    fingerprint: str
    labels: dict[str, str]
    summary: str
    state: AlertState
    is_covered: bool


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident, its timeline as far as the router remembers it, and its alerts as they are.

    `dropped` lines of the timeline are only in history. A resolved incident has no alerts.
    """

    id: str
    state: IncidentState
    group_key: str
    receiver: str
    labels: dict[str, str]
    opened_at: int
    acknowledged_at: int | None
    acknowledged_by: str
    acknowledged_until: int | None
    resolved_at: int | None
    resolved_by: str
    false_positive: bool
    policy: str
    next_step_at: int | None
    also: tuple[str, ...]
    alerts: tuple[AlertBrief, ...]
    timeline: tuple[Happening, ...]
    dropped: int


def shown(state: State) -> list[IncidentView]:
    """Every incident that is known, the newest first."""
    found = sorted(state.incidents.known.values(), key=lambda one: (-one.opened_at, one.id))
    return [_view(state, incident) for incident in found]


def _view(state: State, incident: Incident) -> IncidentView:
    timeline = state.incidents.timelines.of(incident.id)
    lines = timeline[-1].number + 1 if timeline else 0
    policy, _, _, step_at = incident.escalation
    return IncidentView(
        id=incident.id,
        state=incident.state,
        group_key=incident.group_key,
        receiver=incident.receiver,
        labels=dict(incident.labels),
        opened_at=incident.opened_at,
        acknowledged_at=incident.acknowledged_at,
        acknowledged_by=incident.acknowledged_by,
        acknowledged_until=incident.acknowledged_until,
        resolved_at=incident.resolved_at,
        resolved_by=incident.resolved_by,
        false_positive=incident.false_positive,
        policy=policy,
        next_step_at=step_at if incident.state is IncidentState.OPEN else None,
        also=incident.also,
        alerts=tuple(_alerts(state, incident)),
        timeline=timeline,
        dropped=lines - len(timeline),
    )


def _alerts(state: State, incident: Incident) -> Iterable[AlertBrief]:
    group = state.groups.get(incident.group_id)
    if incident.resolved_at is not None or group is None:
        return
    for one in sorted(group.members):
        alert = state.alerts[one]
        if (level := alert.level) is None:
            continue
        notes = level.annotations
        summary = notes.get("summary") or notes.get("description", "")
        covered = alert.fires and incident.covers(one, life(state, one))
        yield AlertBrief(one, dict(level.labels), summary, level.state, covered)
