"""What a flush means for escalation: a policy that is there now, and one that is stricter."""

from notifiers.escalation import start
from notifiers.group import Group
from notifiers.incidents.incident import Incident, IncidentState
from notifiers.incidents.told import happens
from notifiers.state import State


def look(state: State, group: Group) -> None:
    """After a flush: begin where there was no policy, and anew where a stricter one is called for.

    What was once escalated by the stricter policy stays there when the severity falls again.
    """
    incident = state.incidents.of(group.id)
    if incident is not None and incident.state is IncidentState.OPEN:
        rise(state, group, incident)


def rise(state: State, group: Group, incident: Incident) -> bool:
    """Begin with the policy that what fires calls for; False if it is not stricter."""
    choice = start.choice_of(state, group)
    if not (choice.default or choice.by_severity):
        return False
    policy = choice.policy(start.severities(state, group))
    known = incident.escalation[0]
    if not policy or policy == known:
        return False
    if known and not choice.has(known):
        # The routing file changed: the next step that is due sees to it.
        return False
    if known and choice.strictness(policy) >= choice.strictness(known):
        return False
    incident.escalation = (policy, 0, 0, state.now)
    detail = f"by {policy}" if not known else f"by {policy} instead of {known}: it is more severe"
    happens(state, incident, "escalation begins", detail=detail)
    return True
