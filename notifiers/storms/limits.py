"""Rate limits: whether a channel is told now, or with the next digest.

Above its limit a channel's line is **held**: it says since when (`Line.limited`), counts as not
told, and its group keeps what resolved meanwhile. As soon as the limit allows a message one
digest tells them all (`digest`). A message with an alert that is exempt is never held, and does
not count: else those could keep the digest waiting for ever.
"""

from collections.abc import Set

from notifiers.group import Group, Line
from notifiers.state import State
from notifiers.storms.limit_book import Queue
from notifiers.storms.settings import RateLimit
from schemas.deliveries import Why


def limit_of(state: State, receiver: str) -> RateLimit | None:
    """The limit of a receiver, if it has one."""
    config = state.plan.config
    found = None if config is None else config.receivers.get(receiver)
    return None if found is None else found.rate_limit


def cause(
    state: State, group: Group, line: Line, why: Why, firing: frozenset[str], resolved: Set[str]
) -> str:
    """What keeps this channel from being told now: `limit/RECEIVER`; empty if it may be."""
    limit = limit_of(state, line.receiver)
    if line.limited is not None:
        if limit is not None and not _breaks_through(state, limit, line, firing, resolved):
            return f"limit/{line.receiver}"
        let_go(state, group, line)
    if limit is None or why is Why.NOTHING:
        return ""
    queue = _queue(state, line)
    if _has_room(state, queue, limit) or is_exempt(state, limit, firing | resolved):
        return ""
    line.limited = state.now
    state.limits.hold(group.id, line.id)
    state.touched_lines.add((group.id, line.id))
    state.counts["page held by rate limit"] += 1
    arm(state, queue)
    return f"limit/{line.receiver}"


def count(state: State, line: Line, delivery: str, said: Set[str]) -> None:
    """A message about these alerts goes out to this channel."""
    limit = limit_of(state, line.receiver)
    if limit is None or is_exempt(state, limit, said):
        return
    queue = _queue(state, line)
    queue.take(limit, delivery, state.now)
    arm(state, queue)


def give_back(state: State, line: Line, delivery: str) -> None:
    """A message did not arrive, and another takes its place."""
    queue = state.limits.known.get(line.id)
    if queue is not None and queue.sent.pop(delivery, None) is not None:
        arm(state, queue)


def let_go(state: State, group: Group, line: Line) -> None:
    """The line waits for no digest any more."""
    waits_no_more(state, group, line)
    if (queue := state.limits.known.get(line.id)) is not None:
        arm(state, queue)


def waits_no_more(state: State, group: Group, line: Line) -> None:
    """The same for one of many; the queue is to be armed after the last."""
    line.limited = None
    state.limits.let_go(group.id, line.id)
    state.touched_lines.add((group.id, line.id))


def arm(state: State, queue: Queue) -> None:
    """Work out when the queue is to be looked at again."""
    if queue.digest is not None:
        queue.wake = queue.digest.wake
    elif state.limits.held.get(queue.id):
        limit = limit_of(state, queue.receiver)
        queue.wake = max(queue.free_at(limit, state.now), queue.resume_at)
    else:
        queue.wake = None
    state.limits.put(queue)


def follow_plan(state: State) -> None:
    """Limits may have changed, and channels may be gone."""
    for name, queue in list(state.limits.known.items()):
        if limit_of(state, queue.receiver) is None and name not in state.limits.held:
            state.limits.forget(name)
        else:
            arm(state, queue)


def _has_room(state: State, queue: Queue, limit: RateLimit) -> bool:
    """Whether a page may go out by itself; what waits for a digest already goes first."""
    is_sent = queue.digest is not None and queue.sweep is None
    waits = not is_sent and queue.resume_at <= state.now
    if waits and state.limits.held.get(queue.id):
        return False
    return queue.free_at(limit, state.now) <= state.now


def _queue(state: State, line: Line) -> Queue:
    return state.limits.known.get(line.id) or Queue(line.receiver, line.kind, line.index)


def _breaks_through(
    state: State, limit: RateLimit, line: Line, firing: frozenset[str], resolved: Set[str]
) -> bool:
    """Whether something exempt came to what is held."""
    if not limit.exempt:
        return False
    told = frozenset[str]() if line.told is None else line.told.firing
    return is_exempt(state, limit, (firing - told) | (told & resolved))


def is_exempt(state: State, limit: RateLimit, fingerprints: Set[str]) -> bool:
    """Whether the limit is not for a message about these alerts."""
    if not limit.exempt:
        return False
    levels = (state.alerts[one].level for one in fingerprints)
    return any(
        all(matcher.matches(level.labels) for matcher in limit.exempt)
        for level in levels
        if level is not None
    )
