"""How an incident opens, is covered, and ends; what each decision asks of it."""

from dataclasses import replace

from notifiers.group import Group, Line
from notifiers.incidents.incident import Happening, Incident, IncidentState
from notifiers.state import State
from schemas.deliveries import Why
from schemas.labels import derived_id

PAGES = frozenset({Why.FIRST, Why.GREW, Why.REPEAT, Why.ESCALATED, Why.UNACKNOWLEDGED})
"""The decisions that call people; the others only tell them how things stand."""


def happens(
    state: State, incident: Incident, what: str, by: str = "", detail: str = "", at: int = 0
) -> None:
    """Write a line of the timeline; `at` is now unless another instant is named."""
    incident.note(Happening(at or state.now, what, by, detail))
    state.incidents.put(incident)


def paged(state: State, group: Group, at: int) -> Incident:
    """The incident that a page belongs to: the group's open one, or a new one."""
    known = state.incidents.of(group.id)
    if known is not None and known.resolved_at is None:
        return known
    name = derived_id("incident", group.id, at, "" if known is None else known.id)
    opened = Incident(name, group.id, group.key, group.receiver, group.labels, at)
    if known is not None:
        # What a person resolved goes on being covered while it fires.
        opened.covered = _still_firing(state, group, known.covered)
    happens(state, opened, "opened", at=at)
    return opened


def is_covered(state: State, group: Group, fingerprints: frozenset[str]) -> bool:
    """Whether an acknowledgement or a person's resolve covers all of these firing alerts."""
    incident = state.incidents.of(group.id)
    if incident is None or not incident.covered:
        return False
    covered = incident.covered
    return all(one in covered and covered[one] == life(state, one) for one in fingerprints)


def look(state: State, group: Group, at: int) -> None:
    """Before a flush: end the incident if nothing fires, and uncover what fires anew."""
    incident = state.incidents.of(group.id)
    if incident is None:
        return
    if not any(state.alerts[one].fires for one in group.members):
        if incident.resolved_at is None:
            incident.resolved_at = at
            happens(state, incident, "resolved", at=at)
        if incident.covered:
            incident.covered = {}
            state.incidents.put(incident)
        return
    fresh = {
        one
        for one in group.members.keys() & incident.covered.keys()
        if state.alerts[one].fires and life(state, one) != incident.covered[one]
    }
    if not fresh:
        return
    for one in fresh:
        del incident.covered[one]
    state.incidents.put(incident)
    for line in group.lines.values():
        # It began again between two flushes: whoever was told of the last life hears of this one.
        if line.told is not None and line.told.firing & fresh:
            line.told = replace(line.told, firing=line.told.firing - fresh)
            state.touched_lines.add((group.id, line.id))


def group_closed(state: State, group: Group) -> None:
    """Nothing leads to this group any more, so nobody would hear of its end."""
    incident = state.incidents.open_in(group.id)
    if incident is not None:
        incident.resolved_at = state.now
        happens(state, incident, "resolved", detail="its group is gone")


def cover(state: State, incident: Incident) -> None:
    """Everything that fires in the incident's group now pages nobody again."""
    group = state.groups.get(incident.group_id)
    if group is None:
        return
    incident.covered = {one: life(state, one) for one in group.members if state.alerts[one].fires}


def life(state: State, fingerprint: str) -> int:
    """Which life of an alert this is: when it began to fire."""
    level = state.alerts[fingerprint].level
    if level is None:
        return 0
    return level.active_at if level.starts_at is None else level.starts_at


def told(state: State, group: Group, line: Line, why: Why, fate: str, detail: str = "") -> None:
    """A delivery of the group's incident ended: a line of its timeline."""
    incident = state.incidents.of(group.id)
    if incident is not None:
        what = f"{fate}: {why}"
        happens(state, incident, what, detail=f"{line.receiver}/{line.kind} {detail}".strip())


def is_acknowledged(state: State, group: Group) -> bool:
    """Whether somebody has taken the group's incident on."""
    incident = state.incidents.of(group.id)
    return incident is not None and incident.state is IncidentState.ACKNOWLEDGED


def _still_firing(state: State, group: Group, covered: dict[str, int]) -> dict[str, int]:
    return {
        one: start
        for one, start in covered.items()
        if one in group.members and state.alerts[one].fires and life(state, one) == start
    }
