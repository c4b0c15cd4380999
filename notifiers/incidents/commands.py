"""What people do about incidents, as the router takes it."""

from notifiers import flush
from notifiers.incidents.incident import Incident, IncidentState
from notifiers.incidents.lifecycle import cover, happens
from notifiers.state import State
from schemas.deliveries import Why
from schemas.incidents import IncidentAction, IncidentCommand


def take(state: State, command: IncidentCommand) -> None:
    """Do it; what is not there, or is over, is counted and changes nothing."""
    incident = state.incidents.known.get(command.incident)
    if incident is None:
        state.counts["incident unknown"] += 1
        return
    if incident.state is IncidentState.RESOLVED and command.action not in _EVEN_THEN:
        state.counts["incident over"] += 1
        return
    match command.action:
        case IncidentAction.ACKNOWLEDGE | IncidentAction.SNOOZE:
            _acknowledge(state, incident, command)
        case IncidentAction.UNACKNOWLEDGE:
            if incident.state is IncidentState.ACKNOWLEDGED:
                unacknowledge(state, incident, "unacknowledged", command.by)
        case IncidentAction.RESOLVE:
            _resolve(state, incident, command)
        case IncidentAction.NOTE:
            happens(state, incident, "note", command.by, command.note)
        case IncidentAction.FALSE_POSITIVE:
            incident.false_positive = True
            happens(state, incident, "false positive", command.by, command.note)
    state.counts[f"incident {command.action}"] += 1


_EVEN_THEN = frozenset({IncidentAction.NOTE, IncidentAction.FALSE_POSITIVE})


def ring(state: State, name: str) -> None:
    """An acknowledgement ran out, a step is due, or a resolved incident is to be forgotten."""
    incident = state.incidents.known[name]
    if incident.state is IncidentState.ACKNOWLEDGED:
        unacknowledge(state, incident, "acknowledgement ran out")
    elif incident.state is IncidentState.RESOLVED:
        _forget(state, incident)


def unacknowledge(state: State, incident: Incident, what: str, by: str = "") -> None:
    """Nobody has it any more: everybody who was paged is paged again, at once."""
    incident.acknowledged_at, incident.acknowledged_by = None, ""
    incident.acknowledged_until = None
    incident.covered = {}
    happens(state, incident, what, by)
    flush.tell(state, incident.group_id, Why.UNACKNOWLEDGED)


def _acknowledge(state: State, incident: Incident, command: IncidentCommand) -> None:
    incident.acknowledged_at, incident.acknowledged_by = state.now, command.by
    incident.acknowledged_until = command.until
    cover(state, incident)
    snoozed = command.action is IncidentAction.SNOOZE
    happens(state, incident, "snoozed" if snoozed else "acknowledged", command.by, command.note)
    flush.tell(state, incident.group_id, Why.ACKNOWLEDGED)


def _resolve(state: State, incident: Incident, command: IncidentCommand) -> None:
    cover(state, incident)
    incident.resolved_at, incident.resolved_by = state.now, command.by
    happens(state, incident, "resolved", command.by, command.note)
    flush.tell(state, incident.group_id, Why.CLOSED)


def _forget(state: State, incident: Incident) -> None:
    if incident.covered and state.incidents.current.get(incident.group_id) == incident.id:
        # What a person resolved still fires, and must not page again: kept as long as it does.
        state.incidents.alarms.set(incident.id, state.now + 86_400_000)
        return
    state.incidents.forget(incident)
