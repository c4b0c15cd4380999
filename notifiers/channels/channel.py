"""What a channel is: it sends one message, or says why it could not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from schemas.deliveries import Delivery
from schemas.errors import TocsinError


class Failure(StrEnum):
    """Why a message was not taken; also metric label and history column."""

    UNREACHABLE = "unreachable"
    ADDRESS_REFUSED = "address refused"
    TIMED_OUT = "timed out"
    RATE_LIMITED = "rate limited"
    SERVER_ERROR = "server error"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    NOT_AUTHORISED = "not authorised"
    MISCONFIGURED = "misconfigured"
    NOT_WRITTEN = "not written"
    EXPIRED = "delivery expired"
    NO_CHANNEL = "no such channel"
    BROKEN_CHANNEL = "channel broke"
    CIRCUIT_OPEN = "circuit open"


class DeliveryFailed(TocsinError):
    """The channel did not take the message.

    `retry` says whether asking again can help, `retry_after` (seconds) how long to wait at least.
    Neither reason nor detail holds a secret.
    """

    def __init__(
        self, reason: Failure, *, retry: bool, retry_after: float | None = None, detail: str = ""
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason, self.retry, self.retry_after, self.detail = reason, retry, retry_after, detail


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery on its way out, with as many seconds as there are for this try."""

    delivery: Delivery
    timeout: float


@dataclass(frozen=True, slots=True)
class Sent:
    """What the receipt says of a message that was taken.

    `note` is what people should know all the same, such as who was not told; `reference` is the
    channel's own name for what it made, which the incident's next delivery brings along.
    """

    note: str = ""
    reference: str = ""


class Channel(Protocol):
    """A way out to people or machines. May be called from several threads."""

    def send(self, message: Message) -> Sent | None:
        """Hand the message over; return when the other side has taken it.

        None where the receipt has nothing more to say. Raises `DeliveryFailed`.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
