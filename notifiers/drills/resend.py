"""Dead deliveries once more: a new attempt under the same id, followed to its receipt.

What the group makes of it meanwhile is its own affair: it decides anew by itself. A receiver that
has had the message knows it by its id.
"""

from notifiers.drills.resend_book import Resend
from notifiers.state import State
from schemas.deliveries import Delivery, Receipt
from schemas.drills import ResendAsked
from schemas.errors import Undecodable
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import CODEC, DELIVERIES


def take(state: State, asked: ResendAsked) -> None:
    """Send it, unless it is under way already; what cannot be sent is kept with the reason."""
    try:
        delivery = CODEC.decode(asked.original).event
    except Undecodable:
        state.counts["resend refused"] += 1
        return
    if not isinstance(delivery, Delivery):
        state.counts["resend refused"] += 1
        return
    before = state.resends.known.get(delivery.id)
    attempt = max(delivery.attempt, 0 if before is None else before.attempt) + 1
    resend = Resend(
        *(delivery.id, asked.letter, asked.by, state.now, asked.expires_at, attempt),
    )
    resend.problem = _problem(state, delivery, before)
    if resend.problem:
        state.counts["resend refused"] += 1
        if before is None or before.fate:
            resend.attempt = attempt - 1
            state.resends.put(resend)
        return
    state.resends.put(resend)
    state.counts["resend"] += 1
    again = delivery.model_copy(update={"attempt": attempt, "expires_at": asked.expires_at})
    # A letter of an early attempt: the router may have used the next number itself since.
    name = derived_id("resend", delivery.id, attempt, state.now)
    state.outputs.append(Output(DELIVERIES, delivery.receiver, name, again))


def take_receipt(state: State, receipt: Receipt) -> bool:
    """Learn what became of it; False if the receipt is of something else."""
    resend = state.resends.known.get(receipt.delivery)
    if resend is None or resend.fate or receipt.attempt != resend.attempt or resend.problem:
        return False
    resend.fate, resend.reason, resend.detail = str(receipt.fate), receipt.reason, receipt.detail
    state.counts[f"resend {receipt.fate}"] += 1
    state.resends.put(resend)
    return True


def ring(state: State, name: str) -> None:
    """It was kept for long enough."""
    state.resends.forget(name)


def _problem(state: State, delivery: Delivery, before: Resend | None) -> str:
    if delivery.id in state.sent:
        return "the router is still sending it by itself"
    waits = before is not None and not before.fate and not before.problem
    if before is not None and waits and state.now < before.expires_at:
        return "it is under way already"
    config = state.plan.config
    receiver = None if config is None else config.receivers.get(delivery.receiver)
    if receiver is None or delivery.integration >= len(receiver.channels):
        return f'there is no channel {delivery.integration} of a receiver "{delivery.receiver}"'
    if (kind := receiver.channels[delivery.integration].kind) != delivery.channel:
        return (
            f"channel {delivery.integration} is now {kind}, the message is for {delivery.channel}"
        )
    return ""
