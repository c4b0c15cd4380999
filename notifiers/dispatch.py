"""Alerts into groups: what a level changes there, and how groups follow a change of plan."""

from heapq import heappop, heappush

from notifiers import suppression
from notifiers.alert_book import Alert, Turn
from notifiers.group import Group, Line, line_id
from notifiers.grouping import group_key, group_labels
from notifiers.incidents import lifecycle
from notifiers.level import Level
from notifiers.route_tree import Route
from notifiers.state import PlanState, State, Way, Ways
from notifiers.storms import flapping, limits, parents
from schemas.labels import derived_id

REMEMBERED = 3_600_000
"""How long a finished alert is remembered (ms), so that a late, older level cannot revive it."""
LONGEST_KEY = 4_000
MOST_WAYS = 10_000


def place(state: State, alert: Alert, turn: Turn) -> None:
    """Let the groups know that an alert began to fire, or resolved."""
    if turn is Turn.FIRED:
        if state.inhibitor and alert.level is not None:
            state.inhibitor.fires(alert.fingerprint, alert.level.labels)
        _join(state, alert)
        _leave_others(state, alert)
        if alert.fingerprint in state.flaps.known:
            flapping.place(state, alert)
    elif turn is Turn.CAME_RESOLVED:
        _join(state, alert)
    elif turn is Turn.RESOLVED:
        if state.inhibitor and alert.level is not None:
            state.inhibitor.is_over(alert.fingerprint, alert.level.labels)
        suppression.release(state, f"alert/{alert.fingerprint}")
        flapping.place(state, alert)
        if not flapping.is_flapping(state, alert):
            lifecycle.ended(state, alert)
        for group_id in alert.groups:
            _enter(state, state.groups[group_id], alert)
    if state.families:
        parents.place(state, alert)
    settle(state, alert)


def _join(state: State, alert: Alert) -> None:
    if alert.targets is None:
        alert.targets = _targets(state, alert)
    if not alert.groups:
        # The same object for all that go this way: it takes less room than one for each.
        alert.groups = alert.targets
    for group_id in alert.targets:
        group = state.groups.get(group_id)
        if group is None:
            # The group ended since the alert's way was worked out.
            alert.targets = _targets(state, alert)
            group = state.groups[group_id]
        is_first = not group.members
        _enter(state, group, alert)
        if is_first:
            _hurry(state, group, alert)


def _leave_others(state: State, alert: Alert) -> None:
    """A plan left it where its end was still to be told; now it pages where its labels lead."""
    targets = alert.targets or ()
    if len(alert.groups) > len(targets):
        for group_id in sorted({*alert.groups} - {*targets}):
            leave(state, state.groups[group_id], alert)


def _enter(state: State, group: Group, alert: Alert) -> None:
    if group.flushed and not group.members:
        # It outlived its members only for what was told; it begins again.
        group.due, group.flushed = state.now + _routes(state)[group.route_id].group_wait, False
        state.wake(group.due, group.id)
        state.touched_groups.add(group.id)
    group.revision += 1
    group.firing = None
    # The alert's entry says the new revision, so the group's own need not be written for it.
    group.members[alert.fingerprint] = group.revision
    if group.id not in alert.groups:
        alert.groups = (*alert.groups, group.id)
    state.touched_alerts.add(alert.fingerprint)


def _hurry(state: State, group: Group, alert: Alert) -> None:
    """A group's first alert that has waited elsewhere for `group_wait` does not wait again.

    Alertmanager's rule (`dispatch.groupAlert`); it also makes up for the time a router was away.
    """
    route = _routes(state)[group.route_id]
    started = alert.level.starts_at if alert.level is not None else None
    if started is not None and not group.flushed and started + route.group_wait < state.now:
        group.due = min(group.due, state.now)
        state.wake(group.due, group.id)
        state.touched_groups.add(group.id)


def _routes(state: State) -> dict[str, Route]:
    return state.plan.routes


def _targets(state: State, alert: Alert) -> tuple[str, ...]:
    """The groups that the alert's labels lead to, made where they do not exist yet."""
    if alert.level is None:
        return ()
    ways = _ways(state.plan, alert.level)
    for way in ways.all:
        if way.group_id not in state.groups:
            _open(state, way.group_id, way.route, way.pairs)
    return ways.group_ids


def _ways(plan: PlanState, level: Level) -> Ways:
    """Where its labels lead, worked out once for all that differ in nothing routes look at."""
    if plan.config is None:
        return Ways((), ())
    seen = None
    if plan.looks_at is not None:
        seen = tuple([found and found[1] for found in [at(level.packed) for at in plan.looks_at]])
        if (known := plan.found.get(seen)) is not None:
            return known
    labels, found = level.labels, []
    for route in plan.config.route.match(labels):
        pairs = group_labels(labels, route.group_by, route.group_by_all)
        group_id = derived_id(route.id, *(part for pair in pairs for part in pair))
        found.append(Way(route, pairs, group_id))
    ways = Ways(tuple(found), tuple(dict.fromkeys([way.group_id for way in found])))
    if seen is not None:
        if len(plan.found) >= MOST_WAYS:
            plan.found.clear()
        plan.found[seen] = ways
    return ways


def _open(state: State, group_id: str, route: Route, pairs: tuple[tuple[str, str], ...]) -> None:
    key = group_key(route.key, pairs)
    if len(key) > LONGEST_KEY:
        key = f"{key[:LONGEST_KEY]}…{derived_id(key)}"
    group = Group(group_id, key, route.id, route.receiver, pairs, state.now + route.group_wait)
    state.groups[group_id] = group
    state.touched_groups.add(group_id)
    state.wake(group.due, group_id)


def leave(state: State, group: Group, alert: Alert) -> None:
    """The group has no more to say about this alert."""
    if group.members.pop(alert.fingerprint, None) == group.revision:
        # No member's entry says the newest revision any more.
        state.touched_groups.add(group.id)
    group.firing = None
    alert.groups = tuple([one for one in alert.groups if one != group.id])
    for line in group.lines.values():
        # Of a channel that hears of no end it would be owed for ever.
        if alert.fingerprint in line.owed:
            line.owed -= {alert.fingerprint}
            state.touched_lines.add((group.id, line.id))
    state.touched_alerts.add(alert.fingerprint)
    settle(state, alert)


def close(state: State, group: Group) -> None:
    """Remove a group without members, and what its channels were told."""
    suppression.set_held(state, group, ())
    lifecycle.group_closed(state, group)
    del state.groups[group.id]
    state.touched_groups.add(group.id)
    for line in group.lines.values():
        _drop(state, group, line)


def settle(state: State, alert: Alert) -> None:
    """Start the time after which a finished alert is forgotten."""
    finished = not alert.groups and not alert.fires and alert.pending is None
    if finished and alert.idle_since is None:
        alert.idle_since = state.now
        heappush(state.idle, (state.now, alert.fingerprint))
        state.touched_alerts.add(alert.fingerprint)
    elif not finished and alert.idle_since is not None:
        alert.idle_since = None
        state.touched_alerts.add(alert.fingerprint)


def forget(state: State) -> None:
    """Drop the alerts that finished long ago."""
    while state.idle and state.idle[0][0] + REMEMBERED <= state.now:
        since, fingerprint = heappop(state.idle)
        alert = state.alerts.get(fingerprint)
        if alert is not None and alert.idle_since == since:
            del state.alerts[fingerprint]
            state.alert_log.forget(alert)
            state.touched_alerts.add(fingerprint)
            state.silences.forget_alert(fingerprint)
            state.windows.forget_alert(fingerprint)
            state.flaps.forget(fingerprint)
            if alert.updated_at:
                state.touched_lives.add(fingerprint)
            state.by_labels.pop(alert.packed_labels, None)


def follow_plan(state: State) -> None:
    """Bring every alert into the groups of the plan that is now in force.

    A group whose route and labels persist keeps its timer and what was told; a channel that its
    receiver no longer has is forgotten, and so is a group that no alert leads to any more.
    """
    assert state.plan.config is not None
    state.inhibit()
    for group in state.groups.values():
        _rewire(state, group)
    for fingerprint in sorted(state.alerts):
        alert = state.alerts[fingerprint]
        alert.targets = _targets(state, alert) if alert.fires else None
        if alert.fires:
            wanted = set(alert.targets or ())
        else:
            wanted = {gid for gid in alert.groups if state.groups[gid].route_id in _routes(state)}
        for group_id in sorted({*alert.groups} - wanted):
            leave(state, state.groups[group_id], alert)
        for group_id in sorted(wanted - {*alert.groups}):
            is_first = not state.groups[group_id].members
            _enter(state, state.groups[group_id], alert)
            if is_first:
                _hurry(state, state.groups[group_id], alert)
    empty = [group for group in state.groups.values() if not group.members]
    # In an order that a restart keeps.
    for group in sorted(empty, key=lambda group: group.id):
        if group.route_id not in _routes(state) or not is_remembered(group):
            close(state, group)
    state.incidents.find_adrift(state.groups)
    limits.follow_plan(state)
    flapping.follow_plan(state)
    suppression.release_all(state)


def is_remembered(group: Group) -> bool:
    """Whether a channel was told of something firing, and never that it ended.

    Alertmanager's notification log outlives the group; so what fires again says nothing new.
    """
    return any(line.told is not None and line.told.firing for line in group.lines.values())


def _rewire(state: State, group: Group) -> None:
    config = state.plan.config
    route = _routes(state).get(group.route_id)
    if config is None or route is None:
        return
    # Whom an earlier incident brought in is still to hear how it ended.
    also = [
        line.receiver
        for line in group.lines.values()
        if line.receiver != group.receiver
        and (line.outstanding or line.owed or (line.told is not None and line.told.firing))
    ]
    if group.receiver != route.receiver:
        group.receiver = route.receiver
        state.touched_groups.add(group.id)
    channels = config.receivers[route.receiver].channels
    kept = {line_id(route.receiver, one.kind, index) for index, one in enumerate(channels)}
    incident = state.incidents.of(group.id)
    for name in (*also, *(() if incident is None else incident.also)):
        other = config.receivers.get(name)
        for index, one in enumerate(() if other is None else other.channels):
            kept.add(line_id(name, one.kind, index))
    for gone in group.lines.keys() - kept:
        _drop(state, group, group.lines.pop(gone))


def _drop(state: State, group: Group, line: Line) -> None:
    state.touched_lines.add((group.id, line.id))
    if line.outstanding is not None:
        state.sent.pop(line.outstanding.id, None)
    if line.limited is not None:
        limits.let_go(state, group, line)
