"""Which alerts of a group are muted at a flush: inhibited, outside active times, or silenced.

Alertmanager's pipeline takes what is muted out of the group before it asks what was told; if
nothing is left, nobody is told and what was told stays as it was. With `suppression: tocsin` more
is promised, and **held** says on what a group waits: see `hold`.
"""

from collections.abc import Iterable
from dataclasses import replace

from notifiers.config import Config, Suppression
from notifiers.group import Group, Line
from notifiers.holding import Hidden
from notifiers.silences import Silence, SilenceState
from notifiers.state import State
from notifiers.storms.families import began

FURTHEST = 366 * 86_400_000
"""How far ahead (ms) the calendar is read for the end of a muted time."""
TIME = "time"
"""The kind of cause by which a route's time intervals mute: `time/NAME`."""


_NONE = frozenset[str]()


def muted_by(config: Config, route_id: str, state: State, at: int) -> tuple[str, ...]:
    """The names of the time intervals that mute this route at this instant."""
    route = state.plan.routes[route_id]
    if route.active and not any(_holds(config, name, at) for name in route.active):
        return route.active
    return tuple(name for name in route.mute if _holds(config, name, at))


def muted(state: State, group: Group, at: int) -> dict[str, tuple[str, ...]]:
    """The members that are muted in a flush of this instant, each with its causes."""
    config = state.plan.config
    if config is None:
        return {}
    route = state.plan.routes[group.route_id]
    if (route.active or route.mute) and (names := muted_by(config, route.id, state, at)):
        return dict.fromkeys(group.members, tuple(f"{TIME}/{name}" for name in names))
    if not (config.inhibit_rules or state.silences.known or state.windows.known or state.families):
        return {}
    return {one: found for one in group.members if (found := causes(state, one))}


def causes(state: State, fingerprint: str) -> tuple[str, ...]:
    """What mutes an alert now, but for the calendar.

    `alert/FINGERPRINT` (inhibition), `parent/FINGERPRINT`, `silence/ID` and `window/ID`.
    """
    level = state.alerts[fingerprint].level
    if level is None:
        return ()
    labels = level.labels
    source = state.inhibitor.source(labels)
    silences = state.silences.active(fingerprint, labels, state.now)
    found = tuple(f"silence/{one}" for one in silences)
    windows = state.windows.active(fingerprint, labels, state.now)
    found += tuple(f"window/{one}" for one in windows)
    if (parent := state.families.parent_of(fingerprint, labels, began(level))) is not None:
        found = (f"parent/{parent}", *found)
    return found if source is None else (f"alert/{source}", *found)


def audible(
    state: State, group: Group, line: Line, hidden: Hidden
) -> tuple[frozenset[str], frozenset[str]]:
    """What fires and what resolved, without what is muted for this channel.

    With `suppression: tocsin` an alert whose firing was told is not muted once it has resolved.
    """
    firing = state.firing(group)
    resolved = _NONE
    if len(firing) < len(group.members):
        resolved = frozenset(group.members.keys() - firing)
    if not hidden:
        return firing, resolved
    silent = hidden.keys()
    if is_ours(state):
        owed = line.owed if line.told is None else line.owed | line.told.firing
        return firing - silent, (resolved - silent) | (resolved & owed)
    return firing - silent, resolved - silent


def untell(state: State, group: Group, line: Line, firing: frozenset[str]) -> bool:
    """With `suppression: tocsin`: what fires unheard is not told; whether that was news.

    Its resolve is owed all the same.
    """
    if line.told is None or not is_ours(state):
        return False
    unheard = (line.told.firing - firing) & state.firing(group)
    if not unheard:
        return False
    line.told = replace(line.told, firing=line.told.firing - unheard)
    line.owed |= unheard
    return True


def hold(state: State, group: Group, at: int, hidden: Hidden) -> None:
    """With `suppression: tocsin`: note what keeps firing alerts back, and look again when it ends.

    The end of a silence or of a muted time is known, so the next flush comes then; the end of
    anything else hurries the group by its cause (`release`).
    """
    if not is_ours(state):
        set_held(state, group, ())
        return
    config = state.plan.config
    assert config is not None
    firing = state.firing(group)
    kinds = {why for one, why in hidden.items() if one in firing}
    held = {cause for why in kinds for cause in why}
    if muted_by(config, group.route_id, state, at):
        look_again(state, group, _unmuted(config, group, state, at))
    for cause in held:
        if (silence := _silence(state, cause)) is not None:
            look_again(state, group, silence.ends_at)
    set_held(state, group, held)


def set_held(state: State, group: Group, held: Iterable[str]) -> None:
    """Note on what a group waits."""
    now_held = tuple(sorted(held))
    if now_held == group.held:
        return
    for cause in group.held:
        if (waiting := state.held.get(cause)) is not None:
            waiting.discard(group.id)
            if not waiting:
                del state.held[cause]
    group.held = now_held
    for cause in now_held:
        state.held.setdefault(cause, set()).add(group.id)
    state.touched_groups.add(group.id)


def release(state: State, cause: str) -> None:
    """What muted has ended: the groups that waited for it are looked at now."""
    for group_id in state.held.get(cause, ()):
        look_again(state, state.groups[group_id], state.now)


def release_all(state: State) -> None:
    """Rules or times have changed: every group that waits is looked at now."""
    for group_id in {one for waiting in state.held.values() for one in waiting}:
        look_again(state, state.groups[group_id], state.now)


def is_ours(state: State) -> bool:
    """Whether nothing muted counts as told."""
    config = state.plan.config
    return config is not None and config.suppression is Suppression.TOCSIN


def look_again(state: State, group: Group, at: int) -> None:
    """Flush the group then, if it was to be flushed later and has been before."""
    if group.flushed and at < group.due:
        group.due = at
        state.wake(at, group.id)
        state.touched_groups.add(group.id)


def _silence(state: State, cause: str) -> Silence | None:
    kind, _, name = cause.partition("/")
    found = state.silences.known.get(name) if kind == "silence" else None
    return found if found and found.state_at(state.now) is SilenceState.ACTIVE else None


def _unmuted(config: Config, group: Group, state: State, at: int) -> int:
    """The first minute before the next flush at which the calendar lets the group speak.

    It steps from one edge of the calendar to the next, and looks no further than `FURTHEST`.
    """
    route = state.plan.routes[group.route_id]
    spans = [
        one for name in (*route.active, *route.mute) for one in config.time_intervals.get(name, ())
    ]
    minute, last = at, min(group.due, at + FURTHEST)
    while minute < last:
        minute = min((one.steady_until(minute) for one in spans), default=last)
        if minute < last and not muted_by(config, group.route_id, state, minute):
            return minute
    return last


def _holds(config: Config, name: str, at: int) -> bool:
    return any(one.contains(at) for one in config.time_intervals.get(name, ()))
