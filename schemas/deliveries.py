"""One message to one receiver, and what became of it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import FailFast, Field

from schemas.alerts import AlertLevel
from schemas.event import Event, LabelMap, Milliseconds, Name, Seconds, Text, Whole

Integration = Annotated[int, Field(ge=0, le=2**31)]


class Why(StrEnum):
    """Why a group's receiver is told, or is not; also log field, metric label, history column."""

    FIRST = "first notification"
    GREW = "new alerts in group"
    ALL_RESOLVED = "all alerts resolved"
    SOME_RESOLVED = "some alerts resolved"
    REPEAT = "repeat interval elapsed"
    NOTHING = "nothing to say"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "incident acknowledged"
    UNACKNOWLEDGED = "acknowledgement ended"
    CLOSED = "incident resolved by hand"
    DIGEST = "digest of what was held back"
    REMINDER = "reminder"
    HEARTBEAT = "heartbeat"
    DRILL = "fire drill"


class Delivery(Event):
    """The intent to tell; receivers get `id` as idempotency key, the same at every attempt.

    `integration` numbers the receiver's channels from 0. The courier gives up at `expires_at`.
    `reference` is what the channel's last receipt in this incident said (a thread, an issue);
    `notice` is a text for people, where the alerts do not say it all.
    """

    KIND: ClassVar[str] = "delivery"

    id: Name
    group_key: Text
    receiver: Name
    integration: Integration
    channel: Name
    why: Why
    attempt: int = Field(default=1, ge=1, le=2**53)
    decided_at: Milliseconds
    expires_at: Milliseconds
    group_labels: LabelMap = {}
    common_labels: LabelMap = {}
    common_annotations: LabelMap = {}
    alerts: Annotated[tuple[AlertLevel, ...], FailFast()]
    truncated: Whole = 0
    external_url: Text = ""
    incident: Text = ""
    acknowledged_by: Text = ""
    reference: Text = ""
    notice: Text = ""


class Fate(StrEnum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    RETRY = "retry"


class Receipt(Event):
    """The courier's answer to a delivery; `retry_at` only where `fate` is retry.

    `reference` is the channel's own name for what it made, to be given to it the next time.
    """

    KIND: ClassVar[str] = "receipt"

    delivery: Name
    group_key: Text
    receiver: Name
    integration: Integration
    channel: Name
    fate: Fate
    attempt: int = Field(ge=1, le=2**53)
    tries: int = Field(ge=0, le=2**53)
    at: Milliseconds
    duration: Seconds
    retry_at: Milliseconds | None = None
    reason: Text = ""
    detail: Text = ""
    reference: Text = ""


class Decision(Event):
    """What the router decided for a group and receiver, and why; for history alone."""

    KIND: ClassVar[str] = "decision"

    id: Name
    at: Milliseconds
    group_key: Text
    receiver: Name
    integration: Integration = 0
    why: Why
    delivery: Text = ""
    firing: Annotated[tuple[Name, ...], FailFast()] = ()
    resolved: Annotated[tuple[Name, ...], FailFast()] = ()
