"""What people do about incidents, as the router takes it."""

from notifiers import flush
from notifiers.escalation import engine, start
from notifiers.incidents import lifecycle
from notifiers.incidents.incident import Incident, IncidentState
from notifiers.incidents.told import happens
from notifiers.state import State
from schemas.deliveries import Why
from schemas.incidents import IncidentAction, IncidentCommand, What

SNOOZE = 3_600_000
"""How long (ms) a snooze without an end lasts."""
LOOK_AGAIN = 86_400_000
"""How often (ms) it is asked whether what a person resolved still fires."""


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
                unacknowledge(state, incident, What.UNACKNOWLEDGED, command.by, command.note)
        case IncidentAction.RESOLVE:
            _resolve(state, incident, command)
        case IncidentAction.NOTE:
            happens(state, incident, What.NOTE, command.by, command.note)
        case IncidentAction.FALSE_POSITIVE:
            incident.false_positive = True
            happens(state, incident, What.FALSE_POSITIVE, command.by, command.note)
    state.counts[f"incident {command.action}"] += 1


_EVEN_THEN = frozenset({IncidentAction.NOTE, IncidentAction.FALSE_POSITIVE})


def ring(state: State, name: str) -> None:
    """An acknowledgement ran out, a step is due, or a resolved incident is to be forgotten."""
    incident = state.incidents.known[name]
    if incident.state is IncidentState.ACKNOWLEDGED:
        unacknowledge(state, incident, What.TIMED_OUT)
    elif incident.state is IncidentState.RESOLVED:
        _forget(state, incident)
    else:
        engine.ring(state, incident)


def unacknowledge(
    state: State, incident: Incident, what: str, by: str = "", note: str = ""
) -> None:
    """Nobody has it any more: everybody who was paged is paged again, at once."""
    groups = lifecycle.groups_of(state, incident, incident.covered)
    incident.acknowledged_at, incident.acknowledged_by = None, ""
    incident.acknowledged_until = None
    incident.covered = {}
    group = state.groups.get(incident.group_id)
    incident.escalation = start.NOWHERE if group is None else start.begin(state, group)
    happens(state, incident, what, by, note)
    for group_id in groups:
        flush.tell(state, group_id, Why.UNACKNOWLEDGED)
    if incident.group_id not in state.groups:
        # A new plan brought its alerts elsewhere; what was said just now opened incidents there.
        lifecycle.end(state, incident, state.now, "its group is gone")


def _acknowledge(state: State, incident: Incident, command: IncidentCommand) -> None:
    snoozed = command.action is IncidentAction.SNOOZE
    incident.acknowledged_at, incident.acknowledged_by = state.now, command.by
    incident.acknowledged_until = _until(state, incident, command)
    lifecycle.cover(state, incident)
    what = What.SNOOZED if snoozed else What.ACKNOWLEDGED
    happens(state, incident, what, command.by, command.note)
    flush.tell(state, incident.group_id, Why.ACKNOWLEDGED)


def _until(state: State, incident: Incident, command: IncidentCommand) -> int | None:
    if command.until is not None:
        return command.until
    config = state.plan.config
    default = None if config is None else config.acknowledge_timeout
    policy = None if config is None else config.policies.get(incident.escalation[0])
    if policy is not None and policy.acknowledge_timeout is not None:
        default = policy.acknowledge_timeout
    if default is None:
        return state.now + SNOOZE if command.action is IncidentAction.SNOOZE else None
    return state.now + default


def _resolve(state: State, incident: Incident, command: IncidentCommand) -> None:
    lifecycle.cover(state, incident)
    incident.resolved_at, incident.resolved_by = state.now, command.by
    incident.firing = frozenset()
    happens(state, incident, What.RESOLVED, command.by, command.note)
    flush.tell(state, incident.group_id, Why.CLOSED)


def _forget(state: State, incident: Incident) -> None:
    lifecycle.prune(state, incident)
    if incident.covered:
        # What a person resolved still fires, and must not page again: kept as long as it does.
        state.incidents.alarms.set(incident.id, state.now + LOOK_AGAIN)
        return
    state.incidents.forget(incident)
