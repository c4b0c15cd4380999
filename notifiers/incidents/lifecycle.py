"""How an incident opens, is covered, and ends; what each decision asks of it."""

from collections.abc import Iterable
from dataclasses import replace
from sys import intern

from notifiers.alert_book import Alert
from notifiers.escalation import start
from notifiers.group import Group, Line
from notifiers.incidents.incident import ENDED, Incident, IncidentState
from notifiers.incidents.told import add_line, happens
from notifiers.state import State
from schemas.deliveries import Why
from schemas.incidents import What
from schemas.labels import derived_id

PAGES = frozenset({Why.FIRST, Why.GREW, Why.REPEAT, Why.ESCALATED, Why.UNACKNOWLEDGED})
"""The decisions that call people; the others only tell them how things stand."""
MOST_NAMED, LONGEST_NAME = 10, 120


def paged(state: State, group: Group, at: int) -> Incident:
    """The incident that a page belongs to: the group's open one, or a new one."""
    known = state.incidents.of(group.id)
    if known is not None and known.resolved_at is None:
        return known
    name = derived_id("incident", group.id, at, "" if known is None else known.id)
    opened = Incident(name, group.id, group.key, group.receiver, group.labels, at)
    if known is not None and known.covered:
        # What a person resolved goes on being covered while it fires.
        opened.covered = _still_firing(state, group, known.covered)
        known.covered = {}
        state.incidents.put(known)
    opened.firing = _firing(state, group)
    opened.escalation = start.begin(state, group)
    state.incidents.make_room()
    happens(state, opened, What.OPENED, detail=_named(state, opened.firing), at=at)
    return opened


def is_covered(state: State, group: Group, fingerprints: frozenset[str]) -> bool:
    """Whether an acknowledgement or a person's resolve covers all of these firing alerts."""
    return bool(covered_by(state, group, fingerprints))


def covered_by(state: State, group: Group, fingerprints: frozenset[str]) -> str:
    """The incident that covers all of these firing alerts, or the first of several; else nothing.

    The group's own, or one whose alerts a new plan brought into this group of the same receiver.
    """
    incidents = state.incidents
    own = incidents.of(group.id)
    if (own is None or not own.covered) and not incidents.adrift:
        return ""
    found, pinned = "", state.pinned(group)
    for one in fingerprints:
        by = own if own is not None and _covers(state, own, one, pinned) else None
        by = by or _adrift(state, group, one)
        if by is None:
            return ""
        found = min(found, by.id) if found else by.id
    return found


def look(state: State, group: Group, at: int) -> None:
    """Before a flush: end the incident if nothing fires, note who came and went."""
    state.incidents.make_room()
    incident = state.incidents.of(group.id)
    if incident is None:
        return
    firing = _firing(state, group)
    if not firing:
        prune(state, incident)
        if not _goes_on(incident):
            end(state, incident, at)
        return
    _uncover(state, group, incident)
    if incident.resolved_at is None and firing != incident.firing:
        came, went = firing - incident.firing, incident.firing - firing
        incident.firing = firing
        state.incidents.put(incident)
        if came:
            happens(state, incident, What.JOINED, detail=_named(state, came), at=at)
        if went:
            happens(state, incident, What.ENDED, detail=_named(state, went), at=at)


def end(state: State, incident: Incident, at: int, detail: str = "") -> None:
    """Resolve it by itself, unless it is over."""
    if incident.resolved_at is None:
        incident.resolved_at, incident.firing = at, frozenset()
        happens(state, incident, What.RESOLVED, detail=detail, at=at)


def ended(state: State, alert: Alert) -> None:
    """An alert resolved, so nobody has its next life: whoever covered this one does no more."""
    incidents = state.incidents
    for group_id in alert.groups:
        incident = incidents.of(group_id)
        if incident is not None and alert.fingerprint in incident.covered:
            incident.covered[alert.fingerprint] = ENDED
            incidents.put(incident)
    for name in sorted(incidents.adrift.pop(alert.fingerprint, ())):
        incident = incidents.known.get(name)
        if incident is None or incident.covered.get(alert.fingerprint, ENDED) == ENDED:
            continue
        _let_go(state, incident, alert.fingerprint)


def group_closed(state: State, group: Group) -> None:
    """Nothing leads to this group any more, so nobody would hear of its end.

    What somebody acknowledged and still fires, in another group by now, stays acknowledged.
    """
    incident = state.incidents.open_in(group.id)
    if incident is None:
        return
    prune(state, incident)
    if _goes_on(incident):
        happens(state, incident, What.NOTE, detail="a new plan: its alerts are in other groups")
        return
    end(state, incident, state.now, "its group is gone")


def cover(state: State, incident: Incident) -> None:
    """Everything that fires in the incident now pages nobody again."""
    group = state.groups.get(incident.group_id)
    members = () if group is None else group.members
    firing = () if group is None else _firing(state, group)
    kept = {
        one: start
        for one, start in incident.covered.items()
        # What ended is kept, too: if it fires anew before the next look, that is news.
        if (one in members and start == ENDED) or _lives(state, incident, one)
    }
    incident.covered = kept | {one: life(state, one) for one in firing}
    for one in firing:
        _take_over(state, incident, one)


def prune(state: State, incident: Incident) -> None:
    """Cover no more what does not fire any longer."""
    over = [one for one in incident.covered if not _lives(state, incident, one)]
    for one in over:
        del incident.covered[one]
    if over:
        state.incidents.put(incident)


def groups_of(state: State, incident: Incident, covered: Iterable[str]) -> list[str]:
    """Where the incident's alerts are: its group, and others of its receiver by a new plan."""
    found = {incident.group_id}
    for one in covered:
        if incident.id in state.incidents.adrift.get(one, ()) and one in state.alerts:
            groups = (state.groups[name] for name in state.alerts[one].groups)
            found.update(each.id for each in groups if each.receiver == incident.receiver)
    return sorted(name for name in found if name in state.groups)


def life(state: State, fingerprint: str) -> int:
    """Which life of an alert this is: when it began."""
    level = state.alerts[fingerprint].level
    if level is None:
        return 0
    return level.active_at if level.starts_at is None else min(level.active_at, level.starts_at)


def told(state: State, group: Group, line: Line, why: Why, fate: str, detail: str = "") -> None:
    """A delivery of the group's incident was answered: a line of its timeline."""
    incident = state.incidents.of(group.id)
    if incident is not None and (incident.resolved_at is None or why not in PAGES):
        words = intern(f"{line.receiver}/{line.kind}: {why}")
        add_line(state, incident, fate, detail=f"{words} ({detail})" if detail else words)


def is_open(state: State, group: Group) -> bool:
    """Whether the group has an incident that nobody has taken on."""
    incident = state.incidents.of(group.id)
    return incident is not None and incident.state is IncidentState.OPEN


def is_acknowledged(state: State, group: Group) -> bool:
    """Whether somebody has taken the group's incident on."""
    incident = state.incidents.of(group.id)
    return incident is not None and incident.state is IncidentState.ACKNOWLEDGED


def _uncover(state: State, group: Group, incident: Incident) -> None:
    """What fires anew is told again; what no longer fires need not be covered."""
    fresh, over = set(), set()
    pinned = state.pinned(group)
    for one in (incident.covered.keys() & group.members.keys()) - pinned:
        if not state.alerts[one].fires:
            over.add(one)
        elif not incident.covers(one, life(state, one)):
            fresh.add(one)
    for one in incident.covered.keys() - group.members.keys():
        if not _lives(state, incident, one):
            over.add(one)
    if not fresh and not over:
        return
    for one in fresh | over:
        del incident.covered[one]
    state.incidents.put(incident)
    for line in group.lines.values():
        # It began again between two flushes: whoever was told of the last life hears of this one.
        if line.told is not None and line.told.firing & fresh:
            line.told = replace(line.told, firing=line.told.firing - fresh)
            state.touched_lines.add((group.id, line.id))


def _take_over(state: State, incident: Incident, fingerprint: str) -> None:
    """Whoever has had this alert since before a new plan has it no more: the last word counts.

    Unless the alert has come to other groups of the receiver as well: there the earlier word holds.
    """
    groups = (state.groups[one] for one in state.alerts[fingerprint].groups)
    if any(one.id != incident.group_id and one.receiver == incident.receiver for one in groups):
        return
    for name in sorted(state.incidents.adrift.get(fingerprint, ())):
        other = state.incidents.known.get(name)
        if (
            other is not None
            and other is not incident
            and other.receiver == incident.receiver
            and fingerprint in other.covered
        ):
            _let_go(state, other, fingerprint)


def _let_go(state: State, incident: Incident, fingerprint: str) -> None:
    """It covers this alert no more; without its group it ends with the last one."""
    del incident.covered[fingerprint]
    state.incidents.put(incident)
    if incident.group_id not in state.groups and not incident.covered:
        end(state, incident, state.now)


def _adrift(state: State, group: Group, fingerprint: str) -> Incident | None:
    for name in sorted(state.incidents.adrift.get(fingerprint, ())):
        incident = state.incidents.known.get(name)
        if (
            incident is not None
            and incident.receiver == group.receiver
            and incident.covers(fingerprint, life(state, fingerprint))
        ):
            return incident
    return None


def _lives(state: State, incident: Incident, fingerprint: str) -> bool:
    alert = state.alerts.get(fingerprint)
    return (
        alert is not None and alert.fires and incident.covers(fingerprint, life(state, fingerprint))
    )


def _goes_on(incident: Incident) -> bool:
    """Whether somebody has alerts, pruned, that a new plan brought into other groups."""
    return incident.state is IncidentState.ACKNOWLEDGED and bool(incident.covered)


def _firing(state: State, group: Group) -> frozenset[str]:
    return state.firing(group)


def _covers(state: State, incident: Incident, fingerprint: str, pinned: frozenset[str]) -> bool:
    """Whether it covers this alert; while one flaps, it is one life whatever it does."""
    if fingerprint in pinned:
        return incident.covered.get(fingerprint, ENDED) != ENDED
    return incident.covers(fingerprint, life(state, fingerprint))


def _still_firing(state: State, group: Group, covered: dict[str, int]) -> dict[str, int]:
    pinned = state.pinned(group)
    return {
        one: start
        for one, start in covered.items()
        if one in group.members
        and start != ENDED
        and (one in pinned or (state.alerts[one].fires and life(state, one) <= start))
    }


def _named(state: State, fingerprints: frozenset[str]) -> str:
    """The first few by their labels, and how many there are."""
    names = []
    for one in sorted(fingerprints)[:MOST_NAMED]:
        alert = state.alerts.get(one)
        labels = {} if alert is None or alert.level is None else dict(alert.level.labels)
        name = labels.pop("alertname", one)
        rest = ", ".join(f"{key}={labels[key]}" for key in sorted(labels))
        names.append((f"{name} ({rest})" if rest else name)[:LONGEST_NAME])
    more = len(fingerprints) - len(names)
    return "; ".join(names) + (f"; and {more} more" if more > 0 else "")
