"""What a digest tells, group by group: which lines join it, and its words about all of them.

A line that has joined has the digest outstanding, so that no resolve overtakes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from notifiers import choosing, flush, outbox, suppression
from notifiers.channels.config import ChannelConfig
from notifiers.fallback import watch
from notifiers.group import Group, Line, Outstanding
from notifiers.grouping import in_order
from notifiers.incidents import lifecycle
from notifiers.message import Content, cut
from notifiers.state import State
from notifiers.storms import limits, notices
from notifiers.storms.limit_book import Queue
from notifiers.storms.summary import Summary, Told
from schemas.deliveries import Why


@dataclass(frozen=True, slots=True)
class Item:
    """What a digest says of one group; `gone` came and went while it was held."""

    group: Group
    line: Line
    why: Why
    firing: frozenset[str]
    resolved: frozenset[str]
    gone: frozenset[str]


def item(state: State, queue: Queue, channel: ChannelConfig, group_id: str) -> Item | None:
    """What is to be told of a group that is held; if it is nothing, the group waits no more."""
    group = state.groups.get(group_id)
    line = None if group is None else group.lines.get(queue.id)
    if group is None or line is None:
        state.limits.let_go(group_id, queue.id)
        return None
    hidden = suppression.muted(state, group, state.now)
    firing, resolved = suppression.audible(state, group, line, hidden)
    if suppression.untell(state, group, line, firing):
        state.touched_lines.add((group.id, line.id))
    why, _ = choosing.choose(state, group, line, channel, firing, resolved, state.now)
    found = _item(group, line, why, firing, resolved)
    if why is not Why.NOTHING or found.gone:
        return found
    limits.let_go(state, group, line)
    flush.decide(state, group, line, channel, state.now)
    flush.clean(state, group)
    return None


def join(state: State, one: Item, digest: Outstanding) -> None:
    """The digest tells this group."""
    group, line = one.group, one.line
    if one.why in lifecycle.PAGES:
        lifecycle.paged(state, group, state.now)
        watch.paged(state, group, line)
    line.outstanding = Outstanding(
        *(digest.id, digest.at, Why.DIGEST, one.firing, one.resolved, group.revision),
        # The digest's own stands in its queue: here is for what the line was to be told.
        *(1, digest.expires_at, 0, str(one.why)),
    )
    line.forced, line.why = None, Why.DIGEST
    state.touched_lines.add((group.id, line.id))
    outbox.record(state, group, line, digest.at, Why.DIGEST, digest.id, one.firing, one.resolved)


def joined(state: State, queue: Queue, group_id: str) -> tuple[Group, Line, Outstanding] | None:
    """A group's line, if the digest tells it, and what of it."""
    group = state.groups.get(group_id)
    line = None if group is None else group.lines.get(queue.id)
    if group is None or line is None or line.outstanding is None or queue.digest is None:
        return None
    out = line.outstanding
    return (group, line, out) if out.id == queue.digest.id else None


def told(state: State, queue: Queue) -> Iterator[Item]:
    """All that the digest tells."""
    for group_id in sorted(state.limits.held.get(queue.id, ())):
        if (found := joined(state, queue, group_id)) is not None:
            group, line, out = found
            yield _item(group, line, Why.DIGEST, out.firing, out.resolved)


def is_as_told(state: State, one: Item) -> bool:
    """Whether what the digest says of a group is still so, and to be said."""
    assert one.line.outstanding is not None
    if is_taken(state, one.group, one.line.outstanding):
        return False
    hidden = suppression.muted(state, one.group, one.line.outstanding.at)
    heard = suppression.audible(state, one.group, one.line, hidden)
    return heard == (one.firing, one.resolved)


def is_taken(state: State, group: Group, out: Outstanding) -> bool:
    """Whether somebody has taken on what the digest pages for in this group."""
    if out.digest not in lifecycle.PAGES:
        return False
    escalated = out.digest == Why.ESCALATED and not lifecycle.is_open(state, group)
    return escalated or lifecycle.is_covered(state, group, out.firing)


def owe(line: Line, out: Outstanding) -> None:
    """The digest did not tell it: what the group's state does not bring about stays owed."""
    if out.digest in flush.FORCED:
        line.forced = line.forced or Why(out.digest)


def composed(
    state: State, receiver: str, channel: ChannelConfig, items: list[Item]
) -> tuple[Content, str]:
    """What fires comes first: a message has no room for all, and the summary counts the rest."""
    summary = Summary(state.plan.location_of(receiver))
    firing, over = [], []
    for one in items:
        became = Told.FIRING if one.firing else Told.GONE
        if not one.firing and one.resolved - one.gone:
            became = Told.RESOLVED
        summary.add_group(became, one.line.limited or state.now)
        firing += choosing.levels(state, one.firing, fires=True)
        over += choosing.levels(state, one.resolved if channel.send_resolved else one.gone)
    for _, level in firing:
        summary.add_alert(level)
    said = cut([*in_order(firing), *in_order(over)], channel.max_alerts)
    more = notices.notice(state, [name for one in items for name in one.firing])
    return said, f"{summary.text()} {more}".rstrip()


def known(line: Line) -> frozenset[str]:
    """The alerts whose end the channel is owed."""
    return line.owed if line.told is None else line.owed | line.told.firing


def _item(
    group: Group, line: Line, why: Why, firing: frozenset[str], resolved: frozenset[str]
) -> Item:
    if not resolved:
        return Item(group, line, why, firing, resolved, resolved)
    heard = known(line) if line.told is None else known(line) | line.told.resolved
    return Item(group, line, why, firing, resolved, resolved - heard)
