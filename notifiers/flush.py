"""What a group says: flushes, decisions, and what follows from receipts.

What is decided, and what a message says, stands in `choosing`; the rules of an outstanding
delivery in `outbox`; what keeps an alert from being told in `suppression` and, once somebody has
taken an incident on, in `incidents`.
"""

from collections.abc import Iterator

from notifiers import choosing, dispatch, outbox, suppression
from notifiers.channels.config import UPDATED, ChannelConfig, ChannelKind
from notifiers.escalation import rise, start
from notifiers.fallback import watch
from notifiers.group import Group, Line, Outstanding, line_id
from notifiers.holding import Hidden, digest, held
from notifiers.incidents import lifecycle
from notifiers.needs_telling import Entry
from notifiers.notices import telling
from notifiers.state import State
from notifiers.storms import flapping, limits
from schemas.deliveries import Fate, Receipt, Why
from schemas.errors import Reason
from schemas.labels import derived_id

LOG_RETENTION, LOG_SWEEP = 432_000_000, 900_000
"""How long Alertmanager's log of what was told is kept, and how often it is swept (ms)."""
LONGEST_REFUSAL = 200
"""Characters that are remembered of why a message was refused."""
_UPDATES = frozenset({Why.ACKNOWLEDGED, Why.CLOSED})
"""What is said only to channels that show an incident's state."""
FORCED = _UPDATES | {Why.ESCALATED, Why.UNACKNOWLEDGED}
"""What the group's own state does not bring about again if it was not told."""


def take_receipt(state: State, receipt: Receipt) -> None:
    """Learn what became of a delivery."""
    known = state.sent.get(receipt.delivery)
    if known is None:
        if not telling.take_receipt(state, receipt):
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
            lifecycle.told(state, group, line, out.why, Fate.RETRY, receipt.reason)
            outbox.postpone(state, group, line, out, receipt.retry_at or state.now)
        return
    incident = state.incidents.of(group.id)
    if receipt.reference and incident is not None:
        line.reference = (incident.id, receipt.reference)
    lifecycle.told(state, group, line, out.why, receipt.fate, receipt.reason or receipt.detail)
    if receipt.fate is Fate.DELIVERED:
        line.told = Entry(out.firing, out.resolved, out.at)
        line.owed -= out.firing | out.resolved
        line.done, line.failures = out.revision, 0
        line.notice = line.refused = ""
        watch.taken(state, group, line)
    else:
        line.forced = line.forced or (out.why if out.why in FORCED else None)
        outbox.record(state, group, line, out.at, out.why, out.id, out.firing, out.resolved)
    outbox.forget(state, line)
    if receipt.fate is Fate.REFUSED:
        line.refused = (receipt.detail or receipt.reason or receipt.fate)[:LONGEST_REFUSAL]
        watch.refused(state, group, line)
    if (at := line.waiting) is not None:
        line.waiting = None
        if (channel := channel_of(state, group, line)) is not None:
            decide(state, group, line, channel, at)
    clean(state, group)


def tell(state: State, group_id: str, why: Why, receivers: frozenset[str] | None = None) -> None:
    """Tell a group's receivers now, though no flush is due; all of them unless some are named.

    A channel that has a delivery under way is told after it.
    """
    group = state.groups.get(group_id)
    if group is None or state.plan.config is None or group.route_id not in state.plan.routes:
        return
    for line, channel in list(lines(state, group)):
        if receivers is not None and line.receiver not in receivers:
            continue
        if why in _UPDATES and (line.told is None or ChannelKind(line.kind) not in UPDATED):
            continue
        line.forced = why
        state.touched_lines.add((group.id, line.id))
        if line.outstanding is not None:
            line.waiting = state.now
        else:
            decide(state, group, line, channel, state.now)


def flush(state: State, group: Group) -> None:
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
    lifecycle.look(state, group, at)
    flapping.look(state, group)
    hidden = suppression.muted(state, group, at)
    suppression.hold(state, group, at, hidden)
    heard = False
    for line, channel in lines(state, group):
        heard = heard or line.receiver == group.receiver
        if line.outstanding is not None:
            line.waiting = at
            state.touched_lines.add((group.id, line.id))
        else:
            decide(state, group, line, channel, at, hidden)
    if not heard:
        _tell_nobody(state, group, at, hidden)
    rise.look(state, group)


def lines(state: State, group: Group) -> Iterator[tuple[Line, ChannelConfig]]:
    """The channels of the group's receiver, and of those that escalation brought in."""
    assert state.plan.config is not None
    incident = state.incidents.of(group.id)
    receivers = [group.receiver]
    if incident is not None:
        if incident.also:
            receivers += [one for one in incident.also if one != group.receiver]
        receivers += _unfinished(group, receivers)
    for name in receivers:
        receiver = state.plan.config.receivers.get(name)
        for index, channel in enumerate(() if receiver is None else receiver.channels):
            key = line_id(name, channel.kind, index)
            if key not in group.lines:
                group.lines[key] = Line(name, channel.kind, index)
            yield group.lines[key], channel


def _unfinished(group: Group, but: list[str]) -> list[str]:
    """Whom an earlier incident brought in, and who has not heard the end of it."""
    found = {
        line.receiver
        for line in group.lines.values()
        if line.receiver not in but
        and (line.outstanding or line.owed or (line.told is not None and line.told.firing))
    }
    return sorted(found)


def _tell_nobody(state: State, group: Group, at: int, hidden: Hidden) -> None:
    """A receiver without channels hears of nothing: say so in history, once a change.

    Escalation may know somebody who does, so the incident opens all the same.
    """
    key = line_id(group.receiver, "", 0)
    line = group.lines.setdefault(key, Line(group.receiver, "", 0))
    firing, resolved = suppression.audible(state, group, line, hidden)
    causes = held(hidden, firing | resolved, f"receiver/{group.receiver}", firing)
    news = digest(causes)
    if line.why is None or line.done != group.revision or line.held != news:
        line.why, line.done, line.held = Why.NOTHING, group.revision, news
        state.touched_lines.add((group.id, key))
        outbox.record(state, group, line, at, Why.NOTHING, "", firing, resolved, causes)
    has_policy = firing and start.begin(state, group) != start.NOWHERE
    if has_policy and not lifecycle.is_covered(state, group, firing):
        lifecycle.paged(state, group, at)


def channel_of(state: State, group: Group, line: Line) -> ChannelConfig | None:
    """Its configuration, if the receiver still has it."""
    return next((channel for one, channel in lines(state, group) if one is line), None)


def decide(
    state: State,
    group: Group,
    line: Line,
    channel: ChannelConfig,
    at: int,
    hidden: Hidden | None = None,
) -> None:
    """Decide for one channel and, if there is something to say, send it.

    `hidden` is what is muted at this instant, where the caller knows it.
    """
    hidden = suppression.muted(state, group, at) if hidden is None else hidden
    firing, resolved = suppression.audible(state, group, line, hidden)
    if resolved and line.forced is None:
        # Where this follows upon a receipt, these are still to leave the group.
        resolved -= _over(state, group)
    touched = (group.id, line.id)
    if suppression.untell(state, group, line, firing):
        state.touched_lines.add(touched)
    why, cause = choosing.choose(state, group, line, channel, firing, resolved, at)
    is_silent = not firing and not channel.send_resolved
    limited = limits.cause(state, group, line, Why.NOTHING if is_silent else why, firing, resolved)
    if why not in lifecycle.PAGES:
        watch.quiet(state, group, line)
    if limited:
        why, cause = Why.NOTHING, limited
    elif line.forced is not None and not (hidden and not firing and line.forced in lifecycle.PAGES):
        # Where all that fires is muted, the page stays owed until something is heard.
        line.forced = None
        state.touched_lines.add(touched)
    before, line.why = line.why, why
    causes = held(hidden, firing | resolved, cause, firing) if hidden or cause else {}
    if state.flaps.flapping:
        causes = flapping.causes(state, group) | causes
    was_held, line.held = line.held, digest(causes)
    if why is Why.NOTHING:
        is_news = line.done != group.revision and not limited
        if is_news or before is not why or was_held != line.held:
            # What a limit holds back, the digest tells: it must not leave the group before.
            line.done = line.done if limited else group.revision
            state.touched_lines.add(touched)
            outbox.record(state, group, line, at, why, "", firing, resolved, causes)
        return
    state.touched_lines.add(touched)
    if is_silent:
        # Nobody is told, but what was told is over.
        line.told, line.done = Entry(firing, resolved, at), group.revision
        outbox.record(state, group, line, at, why, "", firing, resolved, causes)
        return
    if why in lifecycle.PAGES:
        lifecycle.paged(state, group, at)
        watch.paged(state, group, line)
    said = choosing.said(state, firing, resolved, channel)
    content = said.digest()
    delivery = derived_id("delivery", group.id, line.id, at, line.sequence, content)
    expires_at = state.now + outbox.life(state, group)
    line.outstanding = Outstanding(
        *(delivery, at, why, firing, resolved, group.revision),
        attempt=1,
        expires_at=expires_at,
        wake=expires_at + outbox.GRACE,
        digest=content,
    )
    state.sent[delivery] = (group.id, line.id)
    limits.count(state, line, delivery, firing | resolved)
    outbox.record(state, group, line, at, why, delivery, firing, resolved, causes)
    outbox.send(state, group, line, line.outstanding, said)


def again(state: State, group: Group, line: Line) -> None:
    """A retry is due, or no receipt came in time."""
    out = line.outstanding
    channel = channel_of(state, group, line)
    assert out is not None
    state.touched_lines.add((group.id, line.id))
    if channel is None:
        outbox.forget(state, line)
        return
    silent = (
        state.now >= out.expires_at + outbox.GRACE and out.wake == out.expires_at + outbox.GRACE
    )
    hidden = suppression.muted(state, group, out.at)
    firing, resolved = suppression.audible(state, group, line, hidden)
    resolved -= _over(state, group)
    said = choosing.said(state, firing, resolved, channel)
    same = (firing, resolved) == (out.firing, out.resolved) and said.digest() == out.digest
    taken = out.why in lifecycle.PAGES and lifecycle.is_covered(state, group, out.firing)
    if taken or (out.why is Why.ESCALATED and not lifecycle.is_open(state, group)):
        # Somebody has it. Who may have got the page all the same is owed its end.
        same, line.owed = False, line.owed | out.firing
    if not same or (state.now >= out.expires_at and not silent):
        if not silent:
            limits.give_back(state, line, out.id)
        outbox.forget(state, line)
        line.waiting = None
        line.forced = line.forced or (out.why if out.why in FORCED else None)
        state.counts["delivery replaced"] += 1
        decide(state, group, line, channel, state.now)
        return
    out.attempt += 1
    if silent:
        out.expires_at = state.now + outbox.life(state, group)
        state.counts["delivery unanswered"] += 1
    out.wake = out.expires_at + outbox.GRACE
    outbox.send(state, group, line, out, said)


def clean(state: State, group: Group) -> None:
    """Let go of resolved alerts that every channel is done with, and of an empty group."""
    if not group.flushed:
        return
    if group.members and len(state.firing(group)) == len(group.members):
        return
    over = _over(state, group)
    for one in sorted(over):
        dispatch.leave(state, group, state.alerts[one])
    if group.members or group.id not in state.groups:
        return
    if not dispatch.is_remembered(group):
        dispatch.close(state, group)
    elif over:
        _remember(state, group)


def _over(state: State, group: Group) -> frozenset[str]:
    """The resolved alerts that every channel is done with."""
    firing = state.firing(group)
    done = min((line.done for line, _ in lines(state, group)), default=group.revision)
    members = group.members.items()
    return frozenset(one for one, revision in members if revision <= done and one not in firing)


def _remember(state: State, group: Group) -> None:
    """The alerts ended unheard: keep what was told for as long as Alertmanager's log does."""
    repeat = state.plan.routes[group.route_id].repeat_interval
    told = max(line.told.at for line in group.lines.values() if line.told is not None)
    suppression.set_held(state, group, ())
    group.due = max(told + min(2 * repeat, LOG_RETENTION) + LOG_SWEEP, state.now + 1)
    state.wake(group.due, group.id)
    state.touched_groups.add(group.id)
