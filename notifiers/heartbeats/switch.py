"""The dead man's switch: the router says at every interval that it decides, and can deliver.

It goes to a receiver outside, which raises the alarm when nothing comes. One heartbeat is under
way for each channel; what could not be said in time is not made up for, and none is tried again:
the next one says it better. While a detector that is required is not heard, nothing is said.
"""

from notifiers.heartbeats.switch_book import NAME, SentHeartbeat
from notifiers.heartbeats.switch_config import SwitchConfig
from notifiers.marked import Marked, send
from notifiers.state import State
from schemas.deliveries import Receipt, Why
from schemas.labels import derived_id

KEY = "tocsin/dead-mans-switch"
LONGEST_WAIT = 300_000
"""ms after which a heartbeat of which nothing was heard is not waited for any more."""
SHORTEST_LIFE = 30_000
HEARD_STEP = 10_000
"""How exactly it is known when a detector was heard: each step is a change in the checkpoint."""
_TEXT = "Tocsin is alive: its router decides and delivers. Nothing is wrong while this comes."


def hear(state: State) -> None:
    """A detector announced its alerts."""
    book = state.switch
    if book.known is not None and state.now - book.known.heard >= HEARD_STEP:
        book.known.heard = state.now
        book.touched.add(NAME)


def follow(state: State) -> None:
    """Begin, or end, as the plan says."""
    assert state.plan.config is not None
    wanted, book = state.plan.config.dead_mans_switch, state.switch
    if wanted is None or not state.plan.home:
        book.forget()
    elif book.known is None:
        # A detector gets its time to be heard.
        book.put(SentHeartbeat(next_at=state.now, heard=state.now))
    elif book.known.next_at > state.now + wanted.interval:
        book.known.next_at = state.now + wanted.interval
        book.put(book.known)


def ring(state: State, name: str) -> None:
    """It is time to say something, if there is something to say."""
    config, known = state.plan.config, state.switch.known
    assert known is not None
    wanted = None if config is None else config.dead_mans_switch
    if config is None or wanted is None:
        state.switch.forget()
        return
    at = known.next_at + (state.now - known.next_at) // wanted.interval * wanted.interval
    known.next_at = at + wanted.interval
    if wanted.within is not None and state.now - known.heard > wanted.within + HEARD_STEP:
        state.counts["heartbeat withheld"] += 1
    else:
        _say(state, known, wanted, at)
    state.switch.put(known)


def take_receipt(state: State, receipt: Receipt) -> bool:
    """Learn what became of one; False if the receipt is of something else."""
    if receipt.group_key != KEY:
        return False
    known = state.switch.known
    sent = None if known is None else known.sent.get(receipt.integration)
    if known is not None and sent is not None and sent[0] == receipt.delivery:
        del known.sent[receipt.integration]
        state.switch.touched.add(NAME)
        state.counts[f"heartbeat {receipt.fate}"] += 1
    return True


def _say(state: State, known: SentHeartbeat, wanted: SwitchConfig, at: int) -> None:
    assert state.plan.config is not None
    receiver = state.plan.config.receivers[wanted.receiver]
    known.sent = {i: sent for i, sent in known.sent.items() if i < len(receiver.channels)}
    for index, channel in enumerate(receiver.channels):
        before = known.sent.get(index)
        if before is not None and state.now < before[1] + LONGEST_WAIT:
            state.counts["heartbeat still under way"] += 1
            continue
        name = derived_id("heartbeat", receiver.name, channel.kind, index, at)
        known.sent[index] = (name, state.now)
        said = Marked(
            *(name, KEY, Why.HEARTBEAT, {"alertname": "TocsinHeartbeat", "severity": "none"}),
            *(_TEXT, at, state.now + max(wanted.interval, SHORTEST_LIFE)),
        )
        send(state, said, receiver.name, channel.kind, index)
