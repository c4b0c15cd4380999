"""Commands of operators to the router: appended, durable, and taken in before anybody is told."""

import uuid
from collections.abc import Sequence
from typing import Final

from ops.services import Services
from schemas.envelope import DEFAULT_TENANT, Envelope, Producer
from schemas.errors import LogAway, TocsinError, TooLarge
from schemas.event import Event
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC

WITHIN: Final = 5.0
"""Seconds that the router has to take a command in."""


class NotDone(TocsinError):
    """A command that was refused, or is not in force; `status` is HTTP's word for it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def give(services: Services, events: Sequence[Event]) -> None:
    """Append these commands and wait until the router has taken them. Raises `NotDone`."""
    now = services.now()
    envelopes = [Envelope(uuid.uuid4().hex, Producer("api"), now, event) for event in events]
    messages = [Message(ALERTS, DEFAULT_TENANT, CODEC.encode(one)) for one in envelopes]
    try:
        positions = services.publish.publish(messages)
    except TooLarge as fault:
        raise NotDone(400, str(fault)) from fault
    except LogAway as fault:
        raise NotDone(503, str(fault) or "the log does not answer") from fault
    if not all(services.applied(position, WITHIN) for position in positions):
        text = f"written, and not in force within {WITHIN:g} s: the router has not taken it in"
        raise NotDone(503, text)
