"""Digests: one message to a channel about every group that its rate limit held back.

A digest is a delivery like any other: it is retried under its id, replaced where its alerts
changed meanwhile, and known by its receipt. While it is under way each line it tells has it
outstanding, so that no resolve overtakes it. *Delivered*: all those lines were told, as of the
instant it was decided. *Refused*: they go on waiting, and another digest is tried later; only
what had come and gone unheard is given up then, and counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from notifiers import choosing, flush, outbox, suppression
from notifiers.channels.config import ChannelConfig
from notifiers.group import Group, Line, Outstanding
from notifiers.grouping import in_order
from notifiers.incidents import lifecycle
from notifiers.message import Content, cut
from notifiers.needs_telling import Entry
from notifiers.state import State
from notifiers.storms import limits, notices
from notifiers.storms.limit_book import Queue
from notifiers.storms.summary import Summary, Told
from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.errors import Reason
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import DELIVERIES

LIFE = 300_000
"""How long (ms) a digest is worth trying before its content is worked out anew."""
PAUSE = 300_000
"""After a refusal (ms); what is held meanwhile is in the next one."""


@dataclass(frozen=True, slots=True)
class _Item:
    """What a digest says of one group; `gone` came and went while it was held."""

    group: Group
    line: Line
    why: Why
    firing: frozenset[str]
    resolved: frozenset[str]
    gone: frozenset[str]


def ring(state: State, name: str) -> None:
    """The limit allows a message, or the digest under way is to be sent again."""
    queue = state.limits.known[name]
    channel = _channel(state, queue)
    if channel is None:
        _abandon(state, queue)
        state.limits.forget(name)
        return
    if queue.digest is None or _again(state, queue, channel):
        _begin(state, queue, channel)
    limits.arm(state, queue)


def take_receipt(state: State, receipt: Receipt) -> bool:
    """Learn what became of a digest; False if the receipt is of something else."""
    queue = state.limits.digest_of(receipt)
    if queue is None:
        return False
    out = queue.digest
    assert out is not None
    state.counts[f"receipt {receipt.fate}"] += 1
    expired = receipt.fate is Fate.REFUSED and receipt.reason == Reason.DELIVERY_EXPIRED
    if receipt.fate is Fate.RETRY or expired:
        if receipt.attempt >= out.attempt:
            queue.failures += 1
            out.wake = outbox.next_try(queue.failures, receipt.retry_at or 0, state.now)
            limits.arm(state, queue)
        return True
    queue.digest = None
    if receipt.fate is Fate.DELIVERED:
        queue.failures = 0
    else:
        queue.resume_at = state.now + PAUSE
    for group, line in list(_covered(state, queue, out.id)):
        _end(state, group, line, receipt)
    limits.arm(state, queue)
    return True


def _end(state: State, group: Group, line: Line, receipt: Receipt) -> None:
    out = line.outstanding
    assert out is not None
    detail = receipt.reason or receipt.detail
    lifecycle.told(state, group, line, Why.DIGEST, receipt.fate, detail)
    line.outstanding = None
    state.touched_lines.add((group.id, line.id))
    if receipt.fate is Fate.DELIVERED:
        line.told = Entry(out.firing, out.resolved, out.at)
        line.owed -= out.firing | out.resolved
        line.done, line.failures = out.revision, 0
        limits.let_go(state, group, line)
    else:
        outbox.record(state, group, line, out.at, Why.DIGEST, out.id, out.firing, out.resolved)
        if not state.firing(group) and not _known(line):
            state.counts["came and went untold"] += 1
            line.done = group.revision
            limits.let_go(state, group, line)
    at, line.waiting = line.waiting, None
    channel = flush.channel_of(state, group, line)
    if at is not None and channel is not None:
        flush.decide(state, group, line, channel, at)
    flush.clean(state, group)


def _begin(state: State, queue: Queue, channel: ChannelConfig) -> None:
    """Tell what is held, if there is still something to say."""
    if state.now < max(queue.free_at(limits.limit_of(state, queue.receiver), 0), queue.resume_at):
        return
    items = list(_items(state, queue, channel))
    if len(items) == 1 and items[0].why is not Why.NOTHING:
        # A digest of one group is its page.
        group, line = items[0].group, items[0].line
        limits.let_go(state, group, line)
        flush.decide(state, group, line, channel, state.now)
    elif items:
        _tell(state, queue, channel, items)


def _tell(state: State, queue: Queue, channel: ChannelConfig, items: list[_Item]) -> None:
    said, notice = _composed(state, channel, items)
    name = derived_id("digest", queue.id, state.now, queue.sequence, said.digest())
    queue.sequence += 1
    expires_at = state.now + LIFE
    queue.digest = Outstanding(
        *(name, state.now, Why.DIGEST, frozenset(), frozenset(), 0),
        attempt=1,
        expires_at=expires_at,
        wake=expires_at + outbox.GRACE,
        digest=said.digest(),
    )
    for item in items:
        group, line = item.group, item.line
        if item.why in lifecycle.PAGES:
            lifecycle.paged(state, group, state.now)
        line.outstanding = Outstanding(
            *(name, state.now, Why.DIGEST, item.firing, item.resolved, group.revision),
            *(1, expires_at, 0, ""),
        )
        line.forced, line.why = None, Why.DIGEST
        state.touched_lines.add((group.id, line.id))
        outbox.record(state, group, line, state.now, Why.DIGEST, name, item.firing, item.resolved)
    queue.take(limits.limit_of(state, queue.receiver), name, state.now)
    _send(state, queue, said, notice)


def _again(state: State, queue: Queue, channel: ChannelConfig) -> bool:
    """Send the same digest again; True if another one is to take its place."""
    out = queue.digest
    assert out is not None
    last = out.expires_at + outbox.GRACE
    silent = out.wake == last <= state.now
    items = []
    same = True
    for group, line in _covered(state, queue, out.id):
        assert line.outstanding is not None
        hidden = suppression.muted(state, group, out.at)
        firing, resolved = suppression.audible(state, group, line, hidden)
        told = line.outstanding.firing, line.outstanding.resolved
        same = same and (firing, resolved) == told
        items.append(_item(group, line, Why.DIGEST, *told))
    said, notice = _composed(state, channel, items)
    if not same or said.digest() != out.digest or (state.now >= out.expires_at and not silent):
        if not silent:
            queue.sent.pop(out.id, None)
        _abandon(state, queue)
        state.counts["delivery replaced"] += 1
        return True
    out.attempt += 1
    if silent:
        out.expires_at = state.now + LIFE
        state.counts["delivery unanswered"] += 1
    out.wake = out.expires_at + outbox.GRACE
    _send(state, queue, said, notice)
    return False


def _abandon(state: State, queue: Queue) -> None:
    """Nothing is under way any more; what it told waits as before."""
    if queue.digest is None:
        return
    for group, line in list(_covered(state, queue, queue.digest.id)):
        line.outstanding = line.waiting = None
        state.touched_lines.add((group.id, line.id))
    queue.digest = None


def _items(state: State, queue: Queue, channel: ChannelConfig) -> Iterator[_Item]:
    """What is held and still to be told; the rest waits for nothing any more."""
    for group_id in sorted(state.limits.held.get(queue.id, ())):
        group = state.groups.get(group_id)
        line = None if group is None else group.lines.get(queue.id)
        if group is None or line is None:
            state.limits.let_go(group_id, queue.id)
            continue
        hidden = suppression.muted(state, group, state.now)
        firing, resolved = suppression.audible(state, group, line, hidden)
        if suppression.untell(state, group, line, firing):
            state.touched_lines.add((group.id, line.id))
        why, _ = choosing.choose(state, group, line, channel, firing, resolved, state.now)
        item = _item(group, line, why, firing, resolved)
        if why is Why.NOTHING and not item.gone:
            limits.let_go(state, group, line)
            flush.decide(state, group, line, channel, state.now)
            flush.clean(state, group)
        else:
            yield item


def _item(
    group: Group, line: Line, why: Why, firing: frozenset[str], resolved: frozenset[str]
) -> _Item:
    known = _known(line) if line.told is None else _known(line) | line.told.resolved
    return _Item(group, line, why, firing, resolved, resolved - known)


def _known(line: Line) -> frozenset[str]:
    """The alerts whose end the channel is owed."""
    return line.owed if line.told is None else line.owed | line.told.firing


def _covered(state: State, queue: Queue, digest: str) -> Iterator[tuple[Group, Line]]:
    """The lines that this digest tells."""
    for group_id in sorted(state.limits.held.get(queue.id, ())):
        group = state.groups.get(group_id)
        line = None if group is None else group.lines.get(queue.id)
        if group is None or line is None or line.outstanding is None:
            continue
        if line.outstanding.id == digest:
            yield group, line


def _channel(state: State, queue: Queue) -> ChannelConfig | None:
    config = state.plan.config
    receiver = None if config is None else config.receivers.get(queue.receiver)
    if receiver is None or queue.index >= len(receiver.channels):
        return None
    channel = receiver.channels[queue.index]
    return channel if channel.kind == queue.kind else None


def _composed(state: State, channel: ChannelConfig, items: list[_Item]) -> tuple[Content, str]:
    """What fires comes first: a message has no room for all, and the summary counts the rest."""
    summary = Summary()
    firing, over = [], []
    for item in items:
        told = Told.FIRING if item.firing else Told.GONE
        if not item.firing and item.resolved - item.gone:
            told = Told.RESOLVED
        summary.add_group(told, item.line.limited or state.now)
        firing += choosing.levels(state, item.firing, fires=True)
        over += choosing.levels(state, item.resolved if channel.send_resolved else item.gone)
    for level in firing:
        summary.add_alert(level)
    said = cut([*in_order(firing), *in_order(over)], channel.max_alerts)
    more = notices.notice(state, [one for item in items for one in item.firing])
    return said, f"{summary.text()} {more}".rstrip()


def _send(state: State, queue: Queue, said: Content, notice: str) -> None:
    out = queue.digest
    assert out is not None
    state.counts["digest decided"] += 1
    event = Delivery(
        id=out.id,
        group_key=f"digest/{queue.receiver}",
        receiver=queue.receiver,
        integration=queue.index,
        channel=queue.kind,
        why=Why.DIGEST,
        attempt=out.attempt,
        decided_at=out.at,
        expires_at=out.expires_at,
        common_labels=said.common_labels,
        common_annotations=said.common_annotations,
        alerts=said.alerts,
        truncated=said.truncated,
        external_url=state.external_url,
        notice=notice,
    )
    attempt = derived_id("attempt", out.id, out.attempt)
    state.outputs.append(Output(DELIVERIES, queue.receiver, attempt, event))
