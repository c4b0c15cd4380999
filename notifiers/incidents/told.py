"""A happening: one line of a timeline in memory, and the same for history."""

from notifiers.incidents.incident import Incident
from notifiers.message import short
from notifiers.state import State
from schemas.incidents import IncidentChanged
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import HISTORY


def happens(
    state: State, incident: Incident, what: str, by: str = "", detail: str = "", at: int = 0
) -> None:
    """Write a line of the timeline; `at` is now unless another instant is named.

    Whoever changed the incident itself calls this afterwards: it is known as it is then.
    """
    state.incidents.put(incident)
    add_line(state, incident, what, by, detail, at)


def add_line(
    state: State, incident: Incident, what: str, by: str = "", detail: str = "", at: int = 0
) -> None:
    """The same where nothing but its timeline changed: its own entry need not be written again."""
    line = state.incidents.timelines.write(incident.id, at or state.now, what, by, detail)
    name = derived_id("happening", incident.id, line.number)
    event = IncidentChanged(
        id=name,
        incident=incident.id,
        number=line.number,
        at=line.at,
        what=line.what,
        by=line.by,
        detail=line.detail,
        state=incident.state,
        group_key=incident.group_key,
        receiver=incident.receiver,
        labels=short(dict(incident.labels)),
        opened_at=incident.opened_at,
        acknowledged_at=incident.acknowledged_at,
        resolved_at=incident.resolved_at,
        false_positive=incident.false_positive,
    )
    state.outputs.append(Output(HISTORY, "router", name, event))
