"""Rate limits: whether a channel is told now, or with the next digest.

Above its limit a channel's line is **held**: it says since when (`Line.limited`), counts as not
told, and its group keeps what resolved meanwhile. As soon as the limit allows a message one
digest tells them all (`digest`). A message with an alert that is exempt is never held, and does
not count: else those could keep the digest waiting for ever.

A channel is under its receiver's limit and under that of the person whom alone it reaches. Where
several channels of a person wait for the same room, the one that was told longest ago is first.
"""

from collections.abc import Iterator, Set

from notifiers.group import Group, Line, line_id
from notifiers.state import State
from notifiers.storms.limit_book import PERSON, Queue
from notifiers.storms.settings import Person, RateLimit
from schemas.deliveries import Why


def limit_of(state: State, receiver: str) -> RateLimit | None:
    """The limit of a receiver, if it has one."""
    config = state.plan.config
    found = None if config is None else config.receivers.get(receiver)
    return None if found is None else found.rate_limit


def budgets(state: State, receiver: str, channel: Queue) -> list[tuple[Queue, RateLimit]]:
    """The limits under which a channel is, each with what counts for it."""
    found = []
    if (limit := limit_of(state, receiver)) is not None:
        found.append((channel, limit))
    if (person := _person(state, receiver)) is not None:
        found.append((_purse(state, person), person.limit))
    return found


def free_at(state: State, queue: Queue, now: int) -> int:
    """The first instant from now on at which all its limits allow this channel a message."""
    found = budgets(state, queue.receiver, queue)
    return max((one.free_at(limit, now) for one, limit in found), default=now)


def binding(state: State, queue: Queue) -> str:
    """Whose limit keeps the channel longest: the receiver's name, or a person's in words."""
    person = _person(state, queue.receiver)
    if person is None:
        return queue.receiver
    shared = _purse(state, person).free_at(person.limit, state.now)
    own = queue.free_at(limit_of(state, queue.receiver), state.now)
    return f"user {person.name}" if shared > own else queue.receiver


def cause(
    state: State, group: Group, line: Line, why: Why, firing: frozenset[str], resolved: Set[str]
) -> str:
    """What keeps this channel from being told now: `limit/RECEIVER`; empty if it may be."""
    queue = _queue(state, line)
    found = budgets(state, line.receiver, queue)
    if line.limited is not None:
        if found and not _breaks_through(state, found, line, firing, resolved):
            return f"limit/{line.receiver}"
        let_go(state, group, line)
    if not found or why is Why.NOTHING:
        return ""
    said = firing | resolved
    if all(
        _has_room(state, queue, one, limit) or is_exempt(state, limit, said) for one, limit in found
    ):
        return ""
    line.limited = state.now
    state.limits.hold(group.id, line.id)
    state.touched_lines.add((group.id, line.id))
    state.counts["page held by rate limit"] += 1
    arm(state, queue)
    return f"limit/{line.receiver}"


def count(state: State, line: Line, delivery: str, said: Set[str]) -> None:
    """A message about these alerts goes out to this channel."""
    queue = _queue(state, line)
    found = budgets(state, line.receiver, queue)
    counted = [(one, limit) for one, limit in found if not is_exempt(state, limit, said)]
    if counted:
        _take(state, queue, counted, delivery)
        arm(state, queue)


def take(state: State, queue: Queue, delivery: str) -> None:
    """A digest goes out to this channel; the queue is to be armed after it."""
    _take(state, queue, budgets(state, queue.receiver, queue), delivery)


def untake(state: State, queue: Queue, delivery: str) -> bool:
    """A message did not arrive, and another takes its place; False if it did not count."""
    person = _person(state, queue.receiver)
    counted = [queue] if person is None else [queue, _purse(state, person)]
    # All of them, not the first that knows it.
    known = [one.sent.pop(delivery, None) is not None for one in counted]
    for one, was in zip(counted, known, strict=True):
        if was:
            state.limits.put(one)
    return any(known)


def give_back(state: State, line: Line, delivery: str) -> None:
    """A message did not arrive, and another takes its place."""
    queue = _queue(state, line)
    if untake(state, queue, delivery):
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
    """Work out when the queue is to be looked at again, and those that share a limit with it."""
    state.limits.put(queue)
    _arm(state, queue)
    for other in _siblings(state, queue):
        _arm(state, other)


def follow_plan(state: State) -> None:
    """Limits may have changed, and channels may be gone."""
    config = state.plan.config
    receivers = () if config is None else config.receivers.values()
    purses = {_purse_id(one.person) for one in receivers if one.person is not None}
    for name, queue in list(state.limits.known.items()):
        if queue.kind == PERSON:
            if name not in purses:
                state.limits.forget(name)
        elif not budgets(state, queue.receiver, queue) and name not in state.limits.held:
            state.limits.forget(name)
        else:
            arm(state, queue)


def _arm(state: State, queue: Queue) -> None:
    if queue.digest is not None:
        wake = queue.digest.wake
    elif state.limits.held.get(queue.id):
        # One after the other, a millisecond apart: the first takes the room.
        turn = sum(_goes_before(state, one, queue) for one in _siblings(state, queue))
        wake = max(free_at(state, queue, state.now), queue.resume_at) + turn
    else:
        wake = None
    if wake != queue.wake:
        queue.wake = wake
        state.limits.put(queue)


def _siblings(state: State, queue: Queue) -> Iterator[Queue]:
    """The other channels of the person's, as far as they are known."""
    person, config = _person(state, queue.receiver), state.plan.config
    if person is None or config is None:
        return
    for name in person.receivers:
        for index, channel in enumerate(config.receivers[name].channels):
            other = state.limits.known.get(line_id(name, channel.kind, index))
            if other is not None and other.id != queue.id:
                yield other


def _goes_before(state: State, one: Queue, queue: Queue) -> bool:
    waits = one.digest is None and one.resume_at <= state.now and state.limits.held.get(one.id)
    return bool(waits) and (one.told_at, one.id) < (queue.told_at, queue.id)


def _take(
    state: State, queue: Queue, counted: list[tuple[Queue, RateLimit]], delivery: str
) -> None:
    for one, limit in counted:
        one.take(limit, delivery, state.now)
        state.limits.put(one)
        if one.kind == PERSON:
            queue.told_at = state.now


def _has_room(state: State, queue: Queue, counts: Queue, limit: RateLimit) -> bool:
    """Whether a page may go out by itself; what waits for a digest already goes first."""
    is_sent = queue.digest is not None and queue.sweep is None
    waits = not is_sent and queue.resume_at <= state.now
    if waits and state.limits.held.get(queue.id):
        return False
    if counts.kind == PERSON and any(
        _is_due_before(state, one, queue) for one in _siblings(state, queue)
    ):
        return False
    return counts.free_at(limit, state.now) <= state.now


def _is_due_before(state: State, one: Queue, queue: Queue) -> bool:
    """Whether the room is another channel's first; whom its own receiver's limit keeps yields."""
    own = one.free_at(limit_of(state, one.receiver), state.now)
    return _goes_before(state, one, queue) and own <= state.now


def _queue(state: State, line: Line) -> Queue:
    return state.limits.known.get(line.id) or Queue(line.receiver, line.kind, line.index)


def _person(state: State, receiver: str) -> Person | None:
    config = state.plan.config
    found = None if config is None else config.receivers.get(receiver)
    return None if found is None else found.person


def _purse(state: State, person: Person) -> Queue:
    """What a person was told of late, over all channels."""
    return state.limits.known.get(_purse_id(person)) or Queue(person.name, PERSON, 0)


def _purse_id(person: Person) -> str:
    return line_id(person.name, PERSON, 0)


def _breaks_through(
    state: State,
    found: list[tuple[Queue, RateLimit]],
    line: Line,
    firing: frozenset[str],
    resolved: Set[str],
) -> bool:
    """Whether something exempt came to what is held, and no other limit is in its way."""
    told = frozenset[str]() if line.told is None else line.told.firing
    news = (firing - told) | (told & resolved)
    exempt = [is_exempt(state, limit, news) for _, limit in found]
    return any(exempt) and all(
        is_free or one.free_at(limit, state.now) <= state.now
        for is_free, (one, limit) in zip(exempt, found, strict=True)
    )


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
