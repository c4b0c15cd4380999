"""Incidents as people work on them: found by what they type, acted on, told whole.

The API and the console both come through here, so both refuse the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from notifiers.incidents.timeline import Happening
from notifiers.incidents.view import AlertBrief, IncidentView
from ops.commands import NotDone, give
from ops.history.errors import HistoryError
from ops.services import Services
from schemas.incidents import IncidentAction, IncidentCommand, IncidentState

SHORTEST: Final = 4
"""Characters of an incident's id that are enough where only one begins so."""
_LISTED: Final = "tocsin incidents list and the console say which there are"
MOST_BY: Final = 200
MOST_NOTE: Final = 2_000
LONGEST: Final = 366 * 86_400_000
_LINES: Final = (
    "SELECT number, toUnixTimestamp64Milli(time), what, by, detail FROM incidents FINAL"
    " WHERE incident = {incident:String} ORDER BY number LIMIT 100000"
)


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does. `lasts` is in ms; None: as configured."""

    action: IncidentAction
    by: str
    note: str = ""
    lasts: int | None = None


def found(services: Services, name: str) -> IncidentView:
    """The incident of this id, of an id that begins so, or of an alert (fingerprint, or name).

    An alert's newest incident that is not resolved counts. Raises `NotDone`.
    """
    known = services.incidents()
    by_id = [one for one in known if one.id == name]
    if not by_id and len(name) >= SHORTEST:
        by_id = [one for one in known if one.id.startswith(name.lower())]
    by_alert = [one for one in known if any(name == each.fingerprint for each in one.alerts)]
    by_name = [one for one in known if any(name == _name(each) for each in one.alerts)]
    matches = by_id or by_alert or by_name
    if not matches:
        raise NotDone(404, f'no incident and no alert of one is called "{name[:60]}": {_LISTED}')
    if len(matches) > 1:
        ids = ", ".join(one.id for one in matches[:5])
        raise NotDone(409, f'"{name[:60]}" may be one of {len(matches)} incidents: {ids}')
    return matches[0]


def _name(alert: AlertBrief) -> str:
    return alert.labels.get("alertname", "")


def act(services: Services, name: str, wish: Act) -> IncidentView:
    """Do it, and say how the incident stands then. Raises `NotDone`."""
    incident = found(services, name)
    _check(incident, wish)
    until = None if wish.lasts is None else services.now() + wish.lasts
    command = IncidentCommand(
        incident=incident.id, action=wish.action, by=wish.by, note=wish.note, until=until
    )
    give(services, [command])
    return found(services, incident.id)


def whole(services: Services, incident: IncidentView) -> IncidentView:
    """With all lines of its timeline, if history has those that the router dropped."""
    if not incident.dropped:
        return incident
    try:
        rows = services.history_rows(_LINES, {"incident": incident.id})
    except HistoryError:
        return incident
    stored = [Happening(*row) for row in rows]
    lines = {line.number: line for line in (*stored, *incident.timeline)}
    timeline = tuple(lines[number] for number in sorted(lines))
    dropped = len(incident.timeline) + incident.dropped - len(timeline)
    return replace(incident, timeline=timeline, dropped=max(0, dropped))


def listed(services: Services, states: Sequence[str] = ()) -> Sequence[IncidentView]:
    """The incidents in these states (all if none is named), the newest first.

    Raises `NotDone`.
    """
    if unknown := set(states) - set(IncidentState):
        known = ", ".join(IncidentState)
        raise NotDone(400, f'state: "{min(unknown)[:40]}" is not one of {known}')
    return [one for one in services.incidents() if not states or one.state in states]


def _check(incident: IncidentView, wish: Act) -> None:
    if not wish.by.strip():
        raise NotDone(400, "by: say who does this")
    for name, text, most in (("by", wish.by, MOST_BY), ("note", wish.note, MOST_NOTE)):
        if len(text) > most:
            raise NotDone(400, f"{name}: longer than {most:,} characters")
    if wish.lasts is not None and not 0 < wish.lasts <= LONGEST:
        raise NotDone(400, "for: more than 0 and at most 366d are wanted")
    if wish.action is IncidentAction.NOTE and not wish.note.strip():
        raise NotDone(400, "note: it is empty")
    if wish.action in {IncidentAction.NOTE, IncidentAction.FALSE_POSITIVE}:
        return
    if incident.state is IncidentState.RESOLVED:
        raise NotDone(409, f"incident {incident.id} is resolved: it takes notes only")
    is_taken = incident.state is IncidentState.ACKNOWLEDGED
    if wish.action is IncidentAction.UNACKNOWLEDGE and not is_taken:
        raise NotDone(409, f"incident {incident.id} is not acknowledged")
