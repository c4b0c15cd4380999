"""Tell a receiver something outside all groups, once, and see that it arrives.

    tell(state, receiver, why, about, text, labels)    one delivery a channel, its id from `about`

A refused one is given up and counted: nothing decides it anew. One that failed for now, or of
which nothing was heard, is sent again under its id until it expires.
"""

from notifiers.notices.book import Notice
from notifiers.outbox import FIRST_BACKOFF, GRACE, LONGEST_BACKOFF
from notifiers.state import State
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery, Fate, Receipt, Why, told
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import DELIVERIES

LIFE = 3_600_000
"""How long (ms) a notice is worth trying."""


def tell(
    state: State, receiver: str, why: Why, about: str, text: str, labels: dict[str, str]
) -> bool:
    """Tell all channels of a receiver; False, and counted, if there is none to tell.

    `about` names what is told: the same one twice is one notice while the first is under way.
    """
    config = state.plan.config
    known = None if config is None else config.receivers.get(receiver)
    if known is None or not known.channels:
        state.counts["notice without a receiver"] += 1
        return False
    for index, channel in enumerate(known.channels):
        name = derived_id("notice", why, about, receiver, channel.kind, index)
        if name in state.notices.known:
            continue
        wake = state.now + LIFE + GRACE
        notice = Notice(
            *(name, receiver, channel.kind, index, str(why), text, labels),
            *(state.now, state.now + LIFE, wake),
        )
        state.notices.put(notice)
        _send(state, notice)
    return True


def ring(state: State, name: str) -> None:
    """A notice is to be sent again, or has expired."""
    notice = state.notices.known[name]
    if state.now >= notice.expires_at:
        state.counts["notice expired"] += 1
        state.notices.forget(name)
        return
    notice.attempt += 1
    notice.wake = notice.expires_at + GRACE
    state.notices.put(notice)
    _send(state, notice)


def take_receipt(state: State, receipt: Receipt) -> bool:
    """Learn what became of a notice; False if the receipt is of something else."""
    notice = state.notices.known.get(receipt.delivery)
    if notice is None:
        return False
    state.counts[f"receipt {receipt.fate}"] += 1
    if receipt.fate is not Fate.RETRY:
        state.notices.forget(notice.id)
    elif receipt.attempt >= notice.attempt:
        backoff = min(FIRST_BACKOFF * 2 ** min(notice.attempt - 1, 16), LONGEST_BACKOFF)
        notice.wake = max(receipt.retry_at or 0, state.now + backoff)
        state.notices.put(notice)
    return True


def _send(state: State, notice: Notice) -> None:
    state.counts["notice decided"] += 1
    event = Delivery(
        id=notice.id,
        group_key=f"{notice.why}/{notice.id}",
        receiver=notice.receiver,
        integration=notice.index,
        channel=notice.kind,
        why=Why(notice.why),
        attempt=notice.attempt,
        decided_at=notice.at,
        expires_at=notice.expires_at,
        group_labels=notice.labels,
        common_labels=notice.labels,
        common_annotations={"summary": notice.text},
        # Templates read alerts, so what is told stands in one, too.
        told=told(
            (
                AlertLevel(
                    labels=notice.labels,
                    annotations={"summary": notice.text},
                    state=AlertState.FIRING,
                    active_at=notice.at,
                    starts_at=notice.at,
                ),
            )
        ),
        external_url=state.external_url,
        notice=notice.text,
    )
    attempt = derived_id("attempt", notice.id, notice.attempt)
    state.outputs.append(Output(DELIVERIES, notice.receiver, attempt, event))
