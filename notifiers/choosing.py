"""The decision for one channel of a group, and what its message says of the alerts.

Alertmanager's rule of when a receiver is told stands in `needs_telling`; here is what else has a
say: what was forced, who is party to an incident, and who has taken it on.
"""

from dataclasses import replace

from notifiers.channels.config import ChannelConfig
from notifiers.group import Group, Line
from notifiers.grouping import Named
from notifiers.incidents import lifecycle
from notifiers.message import Content, content
from notifiers.needs_telling import needs_telling
from notifiers.state import State
from schemas.alerts import AlertState
from schemas.deliveries import Why

_GIVE_WAY = frozenset({Why.NOTHING, Why.REPEAT, Why.FIRST, Why.SOME_RESOLVED})
"""The decisions whose place a forced one takes."""


def choose(
    state: State,
    group: Group,
    line: Line,
    channel: ChannelConfig,
    firing: frozenset[str],
    resolved: frozenset[str],
    at: int,
) -> tuple[Why, str]:
    """The decision; and what alone keeps a page from being sent, if something does."""
    if not firing and not resolved:
        # All are muted. Alertmanager does not even ask what was told.
        return Why.NOTHING, ""
    why = needs_telling(
        line.told,
        firing,
        resolved,
        send_resolved=channel.send_resolved,
        repeat=state.plan.routes[group.route_id].repeat_interval,
        at=at,
    )
    if why is Why.NOTHING and channel.send_resolved and resolved & line.owed:
        why = Why.SOME_RESOLVED if firing else Why.ALL_RESOLVED
    plain = why
    is_wanted = line.forced is not Why.ESCALATED or lifecycle.is_open(state, group)
    if line.forced is not None and is_wanted and firing and why in _GIVE_WAY:
        why = line.forced
    if why in lifecycle.PAGES:
        # A page that goes to nobody takes no end with it that somebody is to hear.
        ends = channel.send_resolved and not resolved.isdisjoint(_known(line))
        if not _is_party(state, group, line):
            unheard = Why.SOME_RESOLVED if ends else Why.NOTHING
            return unheard if plain in lifecycle.PAGES else plain, ""
        by = lifecycle.covered_by(state, group, _news(line, firing, why))
        if by and ends:
            return Why.SOME_RESOLVED, ""
        if by and why is Why.GREW:
            return _besides(state, group, line, channel, firing, resolved, at, by)
        if by:
            return (plain, "") if plain is Why.SOME_RESOLVED else (Why.NOTHING, f"ack/{by}")
    return why, ""


def _is_party(state: State, group: Group, line: Line) -> bool:
    """Whether it is for this channel to hear pages: who was brought in is, for that incident."""
    if line.receiver == group.receiver:
        return True
    incident = state.incidents.open_in(group.id)
    return incident is not None and line.receiver in incident.also


def _besides(
    state: State,
    group: Group,
    line: Line,
    channel: ChannelConfig,
    firing: frozenset[str],
    resolved: frozenset[str],
    at: int,
    by: str,
) -> tuple[Why, str]:
    """The decision where somebody has all that is new: as if it had been told."""
    assert line.told is not None
    why = needs_telling(
        replace(line.told, firing=line.told.firing | firing),
        firing,
        resolved,
        send_resolved=channel.send_resolved,
        repeat=state.plan.routes[group.route_id].repeat_interval,
        at=at,
    )
    if why is Why.REPEAT and (all_by := lifecycle.covered_by(state, group, firing)):
        return Why.NOTHING, f"ack/{all_by}"
    return (Why.NOTHING, f"ack/{by}") if why is Why.NOTHING else (why, "")


def _known(line: Line) -> frozenset[str]:
    """The alerts whose end the channel is owed."""
    return line.owed if line.told is None else line.owed | line.told.firing


def _news(line: Line, firing: frozenset[str], why: Why) -> frozenset[str]:
    """For which alerts a page would be sent; a covered one calls nobody."""
    if why is Why.GREW and line.told is not None:
        return firing - line.told.firing
    return firing


def said(
    state: State, firing: frozenset[str], resolved: frozenset[str], channel: ChannelConfig
) -> Content:
    """What a message to this channel says of these alerts."""
    told = levels(state, firing, fires=True)
    if channel.send_resolved:
        told += levels(state, resolved)
    return content(told, channel.max_alerts)


def levels(state: State, fingerprints: frozenset[str], *, fires: bool = False) -> list[Named]:
    """What a message says of these alerts; `fires`: that they do, be it that they flap."""
    alerts = state.alerts
    found = [(name, level) for name in fingerprints if (level := alerts[name].level) is not None]
    if not fires or not state.flaps.flapping:
        return found
    return [(name, level._replace(state=AlertState.FIRING, ends_at=None)) for name, level in found]
