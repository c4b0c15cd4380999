"""What leaves the router: flushes of groups, and each delivery until its fate is known.

Per group and channel one delivery is outstanding. A flush that comes meanwhile waits, and is
decided on the newest state as soon as the receipt is there; so a resolve never overtakes a
trigger. What counts as told:

- *delivered*: told, as of the flush that decided it; resolved alerts in it leave the group.
- *refused*: not told. The next flush decides anew, under a new id (as Alertmanager does): a
  receiver that is mended gets its page within one `group_interval`, and nothing loops faster.
- *retry*: the same delivery under the same id with the next attempt, at the courier's time or
  after the router's own backoff, whichever is later. If the group changed meanwhile, or the
  delivery has expired, a new decision on the newest state takes its place; it may be that there
  is nothing to say any more.
- *nothing heard* until `expires_at` and a grace: the same id again with a later expiry (the
  receiver may have got it: the id tells it so), unless the group changed meanwhile.
"""

from collections.abc import Iterator

from notifiers import dispatch, posted, suppression
from notifiers.channels.config import ChannelConfig
from notifiers.group import Group, Line, Outstanding, line_id
from notifiers.message import Content, content, short
from notifiers.needs_telling import Entry, needs_telling
from notifiers.state import State
from schemas.alerts import AlertLevel
from schemas.deliveries import Decision, Delivery, Fate, Receipt, Why
from schemas.errors import Reason
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import DELIVERIES, HISTORY

GRACE = 60_000
SHORTEST_LIFE = 60_000
FIRST_BACKOFF, LONGEST_BACKOFF = 5_000, 300_000
LOG_RETENTION = 432_000_000
LONGEST_WAIT = 3_600_000
"""A receiver that wants to be left alone for longer is asked again after an hour all the same."""
MOST_NAMED = 10_000


def fire_timers(state: State, external_url: str) -> None:
    """Do what is due at or before `now`, in the order of time, group and line."""
    while (timer := state.next_timer()) is not None and timer[0] <= state.now:
        _, group_id, line = timer
        if not group_id:
            posted.expire(state, state.alerts[line])
            continue
        group = state.groups[group_id]
        if line:
            _again(state, group, group.lines[line], external_url)
        else:
            _flush(state, group, external_url)
        _clean(state, group)


def take_receipt(state: State, receipt: Receipt, external_url: str) -> None:
    """Learn what became of a delivery."""
    known = state.sent.get(receipt.delivery)
    if known is None:
        state.counts["receipt unknown"] += 1
        return
    group = state.groups[known[0]]
    line = group.lines[known[1]]
    out = line.outstanding
    assert out is not None
    state.touched_lines.add((group.id, line.id))
    state.counts[f"receipt {receipt.fate}"] += 1
    expired = receipt.fate is Fate.REFUSED and receipt.reason == Reason.DELIVERY_EXPIRED
    if receipt.fate is Fate.RETRY or expired:
        if receipt.attempt >= out.attempt:
            _postpone(state, group, line, out, receipt.retry_at or state.now)
        return
    if receipt.fate is Fate.DELIVERED:
        line.told = Entry(out.firing, out.resolved, out.at)
        line.owed -= out.firing | out.resolved
        line.done, line.failures = out.revision, 0
    else:
        _record(state, group, line, out.at, out.why, out.id, out.firing, out.resolved)
    _forget(state, line)
    if (at := line.waiting) is not None:
        line.waiting = None
        if (channel := _channel(state, group, line)) is not None:
            _decide(state, group, line, channel, at, external_url)
    _clean(state, group)


def _flush(state: State, group: Group, external_url: str) -> None:
    """One flush; its instant is the newest tick not after now, so missed ticks are one flush."""
    if not group.members:
        dispatch.close(state, group)
        return
    interval = state.plan.routes[group.route_id].group_interval
    at = group.due + (state.now - group.due) // interval * interval
    group.due, group.flushed = at + interval, True
    state.wake(group.due, group.id)
    state.touched_groups.add(group.id)
    state.counts["flush"] += 1
    for line, channel in _lines(state, group):
        if line.outstanding is not None:
            line.waiting = at
            state.touched_lines.add((group.id, line.id))
        else:
            _decide(state, group, line, channel, at, external_url)
    suppression.hold(state, group, at)


def _lines(state: State, group: Group) -> Iterator[tuple[Line, ChannelConfig]]:
    assert state.plan.config is not None
    for index, channel in enumerate(state.plan.config.receivers[group.receiver].channels):
        name = line_id(group.receiver, channel.kind, index)
        if name not in group.lines:
            group.lines[name] = Line(group.receiver, channel.kind, index)
        yield group.lines[name], channel


def _channel(state: State, group: Group, line: Line) -> ChannelConfig | None:
    return next((channel for one, channel in _lines(state, group) if one is line), None)


def _decide(
    state: State, group: Group, line: Line, channel: ChannelConfig, at: int, external_url: str
) -> None:
    """Decide for one channel and, if there is something to say, send it."""
    firing, resolved = suppression.audible(state, group, line, at)
    touched = (group.id, line.id)
    if suppression.untell(state, group, line, firing):
        state.touched_lines.add(touched)
    why = _why(state, group, line, channel, firing, resolved, at)
    before, line.why = line.why, why
    if why is Why.NOTHING:
        if line.done != group.revision or before is not why:
            line.done = group.revision
            state.touched_lines.add(touched)
        if before is not why:
            _record(state, group, line, at, why, "", firing, resolved)
        return
    state.touched_lines.add(touched)
    if not firing and not channel.send_resolved:
        # Nobody is told, but what was told is over.
        line.told, line.done = Entry(firing, resolved, at), group.revision
        _record(state, group, line, at, why, "", firing, resolved)
        return
    said = content(_levels(state, firing, resolved, channel), channel.max_alerts)
    delivery = derived_id("delivery", group.id, line.id, at, line.sequence, said.digest())
    expires_at = state.now + _life(state, group)
    line.outstanding = Outstanding(
        *(delivery, at, why, firing, resolved, group.revision),
        attempt=1,
        expires_at=expires_at,
        wake=expires_at + GRACE,
        digest=said.digest(),
    )
    state.sent[delivery] = (group.id, line.id)
    _record(state, group, line, at, why, delivery, firing, resolved)
    _send(state, group, line, line.outstanding, said, external_url)


def _why(
    state: State,
    group: Group,
    line: Line,
    channel: ChannelConfig,
    firing: frozenset[str],
    resolved: frozenset[str],
    at: int,
) -> Why:
    if not firing and not resolved:
        # All are muted. Alertmanager does not even ask what was told.
        return Why.NOTHING
    why = needs_telling(
        line.told,
        firing,
        resolved,
        send_resolved=channel.send_resolved,
        repeat=state.plan.routes[group.route_id].repeat_interval,
        at=at,
    )
    if why is Why.NOTHING and channel.send_resolved and resolved & line.owed:
        return Why.SOME_RESOLVED if firing else Why.ALL_RESOLVED
    return why


def _levels(
    state: State, firing: frozenset[str], resolved: frozenset[str], channel: ChannelConfig
) -> list[AlertLevel]:
    told = firing | resolved if channel.send_resolved else firing
    levels = (state.alerts[one].level for one in told)
    return [level for level in levels if level is not None]


def _life(state: State, group: Group) -> int:
    return max(state.plan.routes[group.route_id].group_interval, SHORTEST_LIFE)


def _again(state: State, group: Group, line: Line, external_url: str) -> None:
    """A retry is due, or no receipt came in time."""
    out = line.outstanding
    channel = _channel(state, group, line)
    assert out is not None
    state.touched_lines.add((group.id, line.id))
    if channel is None:
        _forget(state, line)
        return
    silent = state.now >= out.expires_at + GRACE and out.wake == out.expires_at + GRACE
    firing, resolved = suppression.audible(state, group, line, out.at)
    said = content(_levels(state, firing, resolved, channel), channel.max_alerts)
    same = (firing, resolved) == (out.firing, out.resolved) and said.digest() == out.digest
    if not same or (state.now >= out.expires_at and not silent):
        _forget(state, line)
        line.waiting = None
        state.counts["delivery replaced"] += 1
        _decide(state, group, line, channel, state.now, external_url)
        return
    out.attempt += 1
    if silent:
        out.expires_at = state.now + _life(state, group)
        state.counts["delivery unanswered"] += 1
    out.wake = out.expires_at + GRACE
    _send(state, group, line, out, said, external_url)


def _postpone(state: State, group: Group, line: Line, out: Outstanding, retry_at: int) -> None:
    line.failures += 1
    backoff = min(FIRST_BACKOFF * 2 ** min(line.failures - 1, 16), LONGEST_BACKOFF)
    out.wake = min(max(retry_at, state.now + backoff), state.now + LONGEST_WAIT)
    state.wake(out.wake, group.id, line.id)


def _forget(state: State, line: Line) -> None:
    if line.outstanding is not None:
        state.sent.pop(line.outstanding.id, None)
        line.outstanding = None


def _send(
    state: State, group: Group, line: Line, out: Outstanding, said: Content, external_url: str
) -> None:
    state.wake(out.wake, group.id, line.id)
    state.counts["delivery decided"] += 1
    event = Delivery(
        id=out.id,
        group_key=group.key,
        receiver=line.receiver,
        integration=line.index,
        channel=line.kind,
        why=out.why,
        attempt=out.attempt,
        decided_at=out.at,
        expires_at=out.expires_at,
        group_labels=short(dict(group.labels)),
        common_labels=said.common_labels,
        common_annotations=said.common_annotations,
        alerts=said.alerts,
        truncated=said.truncated,
        external_url=external_url,
    )
    name = derived_id("attempt", out.id, out.attempt)
    state.outputs.append(Output(DELIVERIES, line.receiver, name, event))


def _record(
    state: State,
    group: Group,
    line: Line,
    at: int,
    why: Why,
    delivery: str,
    firing: frozenset[str],
    resolved: frozenset[str],
) -> None:
    name = derived_id("decision", group.id, line.id, at, line.sequence, why, delivery)
    line.sequence += 1
    event = Decision(
        id=name,
        at=at,
        group_key=group.key,
        receiver=line.receiver,
        integration=line.index,
        why=why,
        delivery=delivery,
        firing=tuple(sorted(firing)[:MOST_NAMED]),
        resolved=tuple(sorted(resolved)[:MOST_NAMED]),
    )
    state.outputs.append(Output(HISTORY, "router", name, event))


def _clean(state: State, group: Group) -> None:
    """Let go of resolved alerts that every channel is done with, and of an empty group."""
    if not group.flushed:
        return
    lines = [line for line, _ in _lines(state, group)]
    done = min((line.done for line in lines), default=group.revision)
    over = [
        one
        for one, revision in group.members.items()
        if revision <= done and not state.alerts[one].fires
    ]
    for one in sorted(over):
        dispatch.leave(state, group, state.alerts[one])
    if group.members or group.id not in state.groups:
        return
    if not dispatch.is_remembered(group):
        dispatch.close(state, group)
    elif over:
        _remember(state, group)


def _remember(state: State, group: Group) -> None:
    """The alerts ended unheard: keep what was told for as long as Alertmanager's log does."""
    repeat = state.plan.routes[group.route_id].repeat_interval
    told = max(line.told.at for line in group.lines.values() if line.told is not None)
    suppression.set_held(state, group, ())
    group.due = max(told + min(2 * repeat, LOG_RETENTION), state.now + 1)
    state.wake(group.due, group.id)
    state.touched_groups.add(group.id)
