"""The alarm of a page that nobody took: tell the fallback, and go on trying the receiver."""

from notifiers import flush, suppression
from notifiers.fallback.book import Watch
from notifiers.group import Group
from notifiers.incidents.told import happens
from notifiers.state import State
from schemas.deliveries import Why


def ring(state: State, name: str) -> None:
    """Tell the fallback of the group's incident, once; it hears of everything from then on."""
    watch = state.fallbacks.take(name)
    config = state.plan.config
    if watch is None or config is None or watch.group_id not in state.groups:
        return
    group, receiver = state.groups[watch.group_id], config.receivers.get(watch.receiver)
    incident = state.incidents.open_in(group.id)
    if incident is None:
        return
    if receiver is None or receiver.fallback is None:
        return
    other = receiver.fallback.receiver
    if other in (group.receiver, *incident.also) or _has_it(state, group, watch):
        return
    before, incident.also = incident.also, (*incident.also, other)
    notice = f"{receiver.name} could not be reached"
    lines = [line for line, _ in flush.lines(state, group) if line.receiver == other]
    for line in lines:
        line.notice = notice
    flush.tell(state, group.id, Why.ESCALATED, frozenset({other}))
    if not any(line.outstanding is not None or line.forced is not None for line in lines):
        # Nothing to say: all is muted or acknowledged, or the receiver has no channel.
        incident.also = before
        for line in lines:
            line.notice = ""
        return
    state.counts["fallback told"] += 1
    happens(state, incident, "fallback told", detail=f"{other}: {notice}")


def _has_it(state: State, group: Group, watch: Watch) -> bool:
    """Whether a channel of the receiver that owes no page knows of all that fires."""
    hidden = suppression.muted(state, group, state.now)
    return any(
        line.told is not None
        and line.told.firing >= suppression.audible(state, group, line, hidden)[0]
        for line, _ in flush.lines(state, group)
        if line.receiver == watch.receiver and line.id not in watch.lines
    )
