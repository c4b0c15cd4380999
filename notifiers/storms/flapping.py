"""Flap damping: an alert that changes too often counts as firing until it is stable.

While an alert flaps, its groups take it to fire whatever it does: nobody is told that it resolved
and nobody that it is back. Each channel is told once that it flaps. When it has not changed for
`stable`, what is true is told: its resolve, or nothing more if it fires.
"""

from dataclasses import replace

from notifiers import suppression
from notifiers.alert_book import Alert
from notifiers.group import Group
from notifiers.incidents import lifecycle
from notifiers.state import State
from notifiers.storms.families import began
from notifiers.storms.flap_book import Flaps
from notifiers.storms.settings import FlapDetection

CAUSE = "flapping"


def place(state: State, alert: Alert) -> None:
    """An alert began to fire, or resolved."""
    name = alert.fingerprint
    flaps = state.flaps.known.get(name)
    if alert.level is None or (flaps is None and alert.fires):
        return
    setting = _setting(state, alert)
    if setting is None:
        return
    # Most alerts never resolve twice: so the first change of all is noted with the second.
    changes = [min(began(alert.level), state.now)] if flaps is None else flaps.changes
    flaps = flaps or Flaps()
    recent = [at for at in (*changes, state.now) if at > state.now - setting.within]
    flaps.changes = recent[-setting.changes :]
    if flaps.since is None and len(flaps.changes) >= setting.changes:
        flaps.since, flaps.groups = state.now, []
        state.counts["alert flaps"] += 1
    if flaps.since is not None:
        flaps.until = state.now + setting.stable
    state.flaps.put(name, flaps)


def is_flapping(state: State, alert: Alert) -> bool:
    """Whether its changes are held back now."""
    return alert.fingerprint in state.flaps.flapping


def look(state: State, group: Group) -> None:
    """Before a flush: whoever was told of an alert that flaps by now is told so, once."""
    news = set()
    for one in state.pinned(group):
        flaps = state.flaps.flapping[one]
        if group.id not in flaps.groups:
            flaps.groups.append(group.id)
            state.flaps.put(one, flaps)
            news.add(one)
    if not news:
        return
    for line in group.lines.values():
        if line.told is not None and line.told.firing & news:
            line.told = replace(line.told, firing=line.told.firing - news)
            line.owed |= news
            state.touched_lines.add((group.id, line.id))


def ring(state: State, name: str) -> None:
    """An alert has not changed for long enough."""
    flaps = state.flaps.known[name]
    flaps.changes, flaps.since, flaps.until, flaps.groups = [], None, None, []
    state.flaps.put(name, flaps)
    alert = state.alerts.get(name)
    if alert is None:
        return
    if not alert.fires:
        lifecycle.ended(state, alert)
    for group_id in alert.groups:
        group = state.groups[group_id]
        # Channels may be done with it as it seemed; now they are to hear how it is.
        group.revision += 1
        group.members[name] = group.revision
        state.touched_groups.add(group_id)
        suppression.look_again(state, group, state.now)
    state.touched_alerts.add(name)


def follow_plan(state: State) -> None:
    """Where nothing asks for damping any more it ends at once."""
    for name in sorted(state.flaps.flapping):
        alert = state.alerts.get(name)
        if alert is None or _setting(state, alert) is None:
            ring(state, name)


def causes(state: State, group: Group) -> dict[str, tuple[str, ...]]:
    """The alerts of a group whose changes are held back."""
    return dict.fromkeys(sorted(state.pinned(group)), (CAUSE,))


def _setting(state: State, alert: Alert) -> FlapDetection | None:
    """Of the alert's routes the one that takes least for flapping."""
    routes = (state.plan.routes.get(state.groups[one].route_id) for one in alert.groups)
    found = [one.flaps for one in routes if one is not None and one.flaps is not None]
    return min(found, key=lambda one: (one.changes, -one.within, one.stable), default=None)
