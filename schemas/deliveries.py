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
    `notice` is a text for people, where the alerts do not say it all. `route_labels` are the
    templates of the route's labels.
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
    route_labels: LabelMap = {}


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


class Held(Event):
    """Alerts that are kept from being told, all by the same causes.

    A cause is a text: `silence/ID`, `alert/FINGERPRINT`, `time/NAME`, `ack/INCIDENT` and so on;
    `notifiers.holding` lists them.
    """

    KIND: ClassVar[str] = "held"

    causes: Annotated[tuple[Text, ...], FailFast()]
    alerts: Annotated[tuple[Name, ...], FailFast()]


class Decision(Event):
    """What the router decided for a group and receiver, and why; for history alone.

    One is written when the decision changed for any alert: `why`, or what holds it. `firing` and
    `resolved` are what was decided on, `held` what was not told and its causes; of the alerts in
    all three, `unnamed` had no room. `route` are the matchers on the way from the root, `due` is
    the group's next look, `repeat_at` when it is told again if nothing changes.
    """

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
    channel: Text = ""
    route: Annotated[tuple[Text, ...], FailFast()] = ()
    held: Annotated[tuple[Held, ...], FailFast()] = ()
    due: Milliseconds | None = None
    repeat_at: Milliseconds | None = None
    incident: Text = ""
    unnamed: Whole = 0
