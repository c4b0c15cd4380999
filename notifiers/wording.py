"""What a delivery says besides its alerts, in words for people: the same in every channel."""

from schemas.deliveries import Delivery, Why

_REASONS = {Why.GREW: "new alerts added"}
"""Reasons that Alertmanager's messages and templates know by another name."""
_LONGEST = 120


def reason(why: Why) -> str:
    """As `notification_reason` has it in Alertmanager's messages."""
    return _REASONS.get(why, why.value)


def headline(delivery: Delivery) -> str:
    """A few words on one line that come before everything else; empty for Alertmanager's own."""
    match delivery.why:
        case Why.DRILL:
            return "FIRE DRILL"
        case Why.ESCALATED:
            return "Escalated to you"
        case Why.ACKNOWLEDGED:
            return _by("Acknowledged", delivery.acknowledged_by)
        case Why.UNACKNOWLEDGED:
            return "No longer acknowledged"
        case Why.CLOSED:
            return "Resolved by hand"
        case Why.DIGEST:
            return "Digest"
        case Why.REMINDER:
            return "Reminder"
        case Why.HEARTBEAT:
            return "Heartbeat"
    return _by("Acknowledged", delivery.acknowledged_by) if delivery.acknowledged_by else ""


def notice(delivery: Delivery) -> str:
    """Headline and notice together, which may say the same; empty where there is neither."""
    first, said = headline(delivery), delivery.notice.strip()
    parts = (said,) if said.casefold().startswith(first.casefold()) else (first, said)
    return ": ".join(part for part in parts if part)


def summary(delivery: Delivery) -> str:
    """The same on one line, and short."""
    text = " ".join(notice(delivery).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _by(what: str, who: str) -> str:
    return f"{what} by {who}" if who else what
