"""What the outbox tells of pages: decided, taken, refused for good, not needed any more.

A page is watched from the decision on until any channel of its receiver has taken it. The alarm
tells the fallback (see `rescue`): after `fallback_after`, or at once when every channel refused.
An incident whose fallback was told already is not watched: that one hears of everything itself.
"""

from dataclasses import replace

from notifiers.fallback.book import Watch, name_of
from notifiers.group import Group, Line
from notifiers.state import State


def paged(state: State, group: Group, line: Line) -> None:
    """A page is on its way to one channel."""
    config = state.plan.config
    receiver = None if config is None else config.receivers.get(line.receiver)
    if receiver is None or receiver.fallback is None:
        return
    incident = state.incidents.open_in(group.id)
    if incident is None or receiver.fallback.receiver in (group.receiver, *incident.also):
        return
    due = state.now + receiver.fallback.after
    known = state.fallbacks.known.get(name_of(group.id, line.receiver))
    watch = known or Watch(group.id, line.receiver, due)
    if known is None or line.id not in known.lines:
        state.fallbacks.put(replace(watch, lines=watch.lines | {line.id}))


def taken(state: State, group: Group, line: Line) -> None:
    """A channel has delivered: somebody at the receiver was told."""
    if not state.fallbacks.known:
        return
    state.fallbacks.take(name_of(group.id, line.receiver))


def refused(state: State, group: Group, line: Line) -> None:
    """A channel will not take the page; if no other may, there is nothing to wait for."""
    known = state.fallbacks.known.get(name_of(group.id, line.receiver))
    if known is None or line.id not in known.lines:
        return
    others = (group.lines.get(one) for one in known.lines - {line.id})
    if not any(one is not None and one.outstanding is not None for one in others):
        state.fallbacks.put(replace(known, due=min(known.due, state.now)))


def quiet(state: State, group: Group, line: Line) -> None:
    """A channel has no page to hear any more: silenced, resolved, or acknowledged."""
    if not state.fallbacks.known:
        return
    known = state.fallbacks.known.get(name_of(group.id, line.receiver))
    if known is None or line.id not in known.lines:
        return
    if known.lines == {line.id}:
        state.fallbacks.take(known.name)
    else:
        state.fallbacks.put(replace(known, lines=known.lines - {line.id}))
