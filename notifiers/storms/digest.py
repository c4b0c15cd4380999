"""Digests: one message to a channel about every group that its rate limit held back.

A digest is a delivery like any other: it is retried under its id, replaced where its alerts
changed meanwhile, and known by its receipt. While it is under way each line it tells has it
outstanding. *Delivered*: all those lines were told, as of the instant it was decided. *Refused*:
they go on waiting, and another digest is tried later; only what had come and gone unheard is
given up then, and counted.

What is to be done for every line is done for `AT_ONCE` lines of a step: the alarm rings again a
millisecond later, until a sweep over all that is held is through. So however many groups wait,
other records are read in between, and no step writes more than a little.
"""

from heapq import nsmallest

from notifiers import flush, outbox
from notifiers.channels.config import ChannelConfig
from notifiers.fallback import watch
from notifiers.group import Group, Line, Outstanding
from notifiers.incidents import lifecycle
from notifiers.message import Content
from notifiers.needs_telling import Entry
from notifiers.state import State
from notifiers.storms import gathering, limits
from notifiers.storms.limit_book import Queue, Sweep, Task
from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.errors import Reason
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import DELIVERIES

LIFE = 300_000
"""How long (ms) a digest is worth trying before its content is worked out anew."""
PAUSE = 300_000
"""After a refusal (ms); what is held meanwhile is in the next one."""
AT_ONCE = 5_000
"""Lines of a step: half a second's work."""


def ring(state: State, name: str) -> None:
    """The limit allows a message, a sweep goes on, or the digest is to be sent again."""
    queue = state.limits.known[name]
    channel = _channel(state, queue)
    if channel is None:
        for group_id in sorted(state.limits.held.get(name, ())):
            _part(state, queue, group_id)
        queue.digest = queue.sweep = None
        state.limits.forget(name)
        return
    if queue.sweep is not None:
        _go_on(state, queue, channel)
    elif queue.digest is None:
        _begin(state, queue, channel)
    else:
        _again(state, queue, channel)
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
    if receipt.fate is Fate.DELIVERED:
        queue.failures = 0
    else:
        queue.resume_at = state.now + PAUSE
    queue.sweep = Sweep(Task.END, fate=receipt.fate, detail=receipt.reason or receipt.detail)
    _go_on(state, queue, _channel(state, queue))
    limits.arm(state, queue)
    return True


def _begin(state: State, queue: Queue, channel: ChannelConfig) -> None:
    """Tell what is held, if there is still something to say."""
    if state.now < max(limits.free_at(state, queue, 0), queue.resume_at):
        return
    held = state.limits.held.get(queue.id, ())
    if len(held) > AT_ONCE:
        _open(state, queue)
        queue.sweep = Sweep(Task.GATHER)
        _go_on(state, queue, channel)
        return
    found = (gathering.item(state, queue, channel, group_id) for group_id in sorted(held))
    items = [one for one in found if one is not None]
    if len(items) == 1 and items[0].why is not Why.NOTHING:
        # A digest of one group is its page.
        group, line = items[0].group, items[0].line
        limits.let_go(state, group, line)
        flush.decide(state, group, line, channel, state.now)
    elif items:
        digest = _open(state, queue)
        for one in items:
            gathering.join(state, one, digest)
        _tell(state, queue, channel)


def _open(state: State, queue: Queue) -> Outstanding:
    """A new digest, that tells nothing yet."""
    name = derived_id("digest", queue.id, state.now, queue.sequence)
    queue.sequence += 1
    expires_at = state.now + LIFE
    queue.digest = Outstanding(
        *(name, state.now, Why.DIGEST, frozenset(), frozenset(), 0),
        *(1, expires_at, expires_at + outbox.GRACE, ""),
    )
    return queue.digest


def _go_on(state: State, queue: Queue, channel: ChannelConfig | None) -> None:
    """The next lines of a sweep, in the order of their groups; and what follows the last."""
    sweep, digest = queue.sweep, queue.digest
    assert sweep is not None
    assert digest is not None
    held = state.limits.held.get(queue.id, ())
    some = nsmallest(AT_ONCE, (one for one in held if one > sweep.after))
    for group_id in some:
        if sweep.task is Task.END:
            _end(state, queue, group_id, sweep)
        elif sweep.task is Task.PART:
            _part(state, queue, group_id)
        elif channel is not None:
            one = gathering.item(state, queue, channel, group_id)
            if one is not None:
                gathering.join(state, one, digest)
    if len(some) == AT_ONCE or (some and sweep.task is Task.GATHER):
        # To word the message is a step of its own.
        sweep.after = some[-1]
        digest.wake = state.now + 1
        return
    queue.sweep = None
    if sweep.task is Task.GATHER and channel is not None:
        _tell(state, queue, channel)
    else:
        queue.digest = None


def _tell(state: State, queue: Queue, channel: ChannelConfig) -> None:
    """Send a digest of all that has joined it."""
    out, items = queue.digest, list(gathering.told(state, queue))
    assert out is not None
    if not items:
        queue.digest = None
        return
    said, notice = gathering.composed(state, queue.receiver, channel, items)
    out.digest, out.expires_at = said.digest(), state.now + LIFE
    out.wake = out.expires_at + outbox.GRACE
    limits.take(state, queue, out.id)
    _send(state, queue, said, notice)


def _end(state: State, queue: Queue, group_id: str, sweep: Sweep) -> None:
    """A line hears what became of the digest that told it."""
    found = gathering.joined(state, queue, group_id)
    if found is None:
        return
    group, line, out = found
    lifecycle.told(state, group, line, Why.DIGEST, sweep.fate, sweep.detail)
    line.outstanding = None
    state.touched_lines.add((group.id, line.id))
    if sweep.fate == Fate.DELIVERED:
        line.told = Entry(out.firing, out.resolved, out.at)
        line.owed -= out.firing | out.resolved
        line.done, line.failures = out.revision, 0
        limits.waits_no_more(state, group, line)
        watch.taken(state, group, line)
    else:
        gathering.owe(line, out)
        watch.refused(state, group, line)
        outbox.record(state, group, line, out.at, Why.DIGEST, out.id, out.firing, out.resolved)
        if not state.firing(group) and not gathering.known(line):
            state.counts["came and went untold"] += 1
            line.done = group.revision
            limits.waits_no_more(state, group, line)
    _catch_up(state, group, line)


def _catch_up(state: State, group: Group, line: Line) -> None:
    """Decide what had to wait for the digest."""
    at, line.waiting = line.waiting, None
    channel = None if at is None else flush.channel_of(state, group, line)
    if at is not None and channel is not None:
        flush.decide(state, group, line, channel, at)
    flush.clean(state, group)


def _again(state: State, queue: Queue, channel: ChannelConfig) -> None:
    """Send the same digest again, unless another one is to take its place."""
    out = queue.digest
    assert out is not None
    last = out.expires_at + outbox.GRACE
    silent = out.wake == last <= state.now
    items = list(gathering.told(state, queue))
    same = silent or state.now < out.expires_at
    if same and all(gathering.is_as_told(state, one) for one in items):
        said, notice = gathering.composed(state, queue.receiver, channel, items)
        if said.digest() == out.digest:
            _send_again(state, queue, said, notice, silent=silent)
            return
    if not silent:
        limits.untake(state, queue, out.id)
    state.counts["delivery replaced"] += 1
    queue.sweep = Sweep(Task.PART)
    _go_on(state, queue, channel)


def _send_again(state: State, queue: Queue, said: Content, notice: str, *, silent: bool) -> None:
    out = queue.digest
    assert out is not None
    out.attempt += 1
    if silent:
        out.expires_at = state.now + LIFE
        state.counts["delivery unanswered"] += 1
    out.wake = out.expires_at + outbox.GRACE
    _send(state, queue, said, notice)


def _part(state: State, queue: Queue, group_id: str) -> None:
    """Another digest will tell this line, which waits as before."""
    if (found := gathering.joined(state, queue, group_id)) is not None:
        group, line, out = found
        gathering.owe(line, out)
        if gathering.is_taken(state, group, out):
            # Who may have got the page all the same is owed its end.
            line.owed |= out.firing
        line.outstanding = line.waiting = None
        state.touched_lines.add((group.id, line.id))


def _channel(state: State, queue: Queue) -> ChannelConfig | None:
    config = state.plan.config
    receiver = None if config is None else config.receivers.get(queue.receiver)
    if receiver is None or queue.index >= len(receiver.channels):
        return None
    channel = receiver.channels[queue.index]
    return channel if channel.kind == queue.kind else None


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
        told=said.told,
        truncated=said.truncated,
        external_url=state.external_url,
        notice=notice,
    )
    attempt = derived_id("attempt", out.id, out.attempt)
    state.outputs.append(Output(DELIVERIES, queue.receiver, attempt, event))
