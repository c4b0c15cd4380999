"""Fire drills as the router takes them: sent through the real path, answered by its receipts.

A channel that opens something elsewhere (an incident, an issue) is told of the drill's end once
the drill was delivered, so that nothing stays open.
"""

from notifiers.channels.config import ChannelKind
from notifiers.drills.drill import Drill, Tried
from notifiers.marked import Marked, send
from notifiers.problem import did_you_mean
from notifiers.state import State
from schemas.deliveries import Fate, Receipt, Why
from schemas.drills import DrillAsked
from schemas.labels import derived_id

MOST = 1_000
"""Drills that are remembered; beyond them the oldest goes."""
MOST_NAMED = 20
"""Receivers that are named to who asked for one that is not there."""
_KEY = "tocsin/drill/"
_OPENS = frozenset({ChannelKind.PAGERDUTY, ChannelKind.JIRA, ChannelKind.GITHUB})


def take(state: State, asked: DrillAsked) -> None:
    """Send it to every channel of the receiver."""
    book, config = state.drills, state.plan.config
    if asked.id in book.known:
        state.counts["drill asked again"] += 1
        return
    while len(book.known) >= MOST:
        book.forget(min(book.known, key=lambda name: (book.known[name].at, name)))
    drill = Drill(asked.id, asked.receiver, asked.by, state.now, asked.expires_at)
    receivers = {} if config is None else config.receivers
    receiver = receivers.get(asked.receiver)
    if receiver is None:
        known = f"those there are: {', '.join(sorted(receivers)[:MOST_NAMED])}" if receivers else ""
        hint = did_you_mean(asked.receiver, receivers) or known
        drill.problem = ": ".join(filter(None, (f'no receiver "{asked.receiver}"', hint)))
    elif not receiver.channels:
        drill.problem = f'the receiver "{asked.receiver}" has no channels'
    else:
        drill.tried = [
            Tried(channel.kind, index, derived_id("drill", asked.id, channel.kind, index))
            for index, channel in enumerate(receiver.channels)
        ]
    state.counts["drill"] += 1
    book.put(drill)
    for one in drill.tried:
        _send(state, drill, one)


def take_receipt(state: State, receipt: Receipt) -> bool:
    """Learn what became of a drill; False if the receipt is of something else."""
    name = state.drills.sent.get(receipt.delivery)
    if name is None:
        return receipt.group_key.startswith(_KEY)
    drill = state.drills.known[name]
    for one in drill.tried:
        if one.delivery != receipt.delivery or one.fate:
            continue
        one.fate, one.reason, one.detail = str(receipt.fate), receipt.reason, receipt.detail
        one.tries, one.duration, one.at = receipt.tries, receipt.duration, state.now
        if receipt.fate is Fate.DELIVERED and one.kind in _OPENS:
            _send(state, drill, one, ends_at=state.now)
    state.counts[f"drill {receipt.fate}"] += 1
    state.drills.put(drill)
    return True


def ring(state: State, name: str) -> None:
    """It was kept for long enough."""
    state.drills.forget(name)


def _send(state: State, drill: Drill, one: Tried, ends_at: int | None = None) -> None:
    by = f", asked for by {drill.by[:100]}" if drill.by else ""
    said = Marked(
        one.delivery if ends_at is None else derived_id("drill over", one.delivery),
        f"{_KEY}{drill.id}",
        Why.DRILL,
        {"alertname": "TocsinDrill", "receiver": drill.receiver, "drill": drill.id},
        f"FIRE DRILL: a test of the receiver {drill.receiver}{by}. Nothing is wrong.",
        drill.at,
        drill.expires_at if ends_at is None else state.now + 60_000,
        ends_at,
    )
    send(state, said, drill.receiver, one.kind, one.index)
