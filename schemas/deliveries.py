"""One message to one receiver, and what became of it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, FailFast, Field, TypeAdapter, model_validator

from schemas import pairs
from schemas.alerts import AlertLevel, AlertState
from schemas.event import Event, LabelMap, Milliseconds, Name, Seconds, Text, Whole
from schemas.labels import packed_fingerprint

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


def _checked(sets: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if found := pairs.problem(sets):
        raise ValueError(found)
    return sets


_ROWS = TypeAdapter(Annotated[tuple[AlertLevel, ...], FailFast()])
Pairs = Annotated[tuple[bytes, ...], FailFast(), AfterValidator(_checked)]
"""Label sets, or annotations, each as `schemas.pairs` packs it."""


class ToldAlerts(Event):
    """The alerts of a message, one column a property: the n-th of each is one.

    What does not fire is resolved.
    """

    KIND: ClassVar[str] = "told-alerts"

    fingerprints: Annotated[tuple[Name, ...], FailFast()]
    labels: Pairs
    annotations: Pairs
    firing: Annotated[tuple[bool, ...], FailFast()]
    starts_at: Annotated[tuple[Milliseconds, ...], FailFast()]
    ends_at: Annotated[tuple[Milliseconds | None, ...], FailFast()]
    generator_urls: Annotated[tuple[Text, ...], FailFast()]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        columns = (self.annotations, self.firing, self.starts_at, self.ends_at, self.generator_urls)
        if any(len(column) != len(self.labels) for column in (self.fingerprints, *columns)):
            raise ValueError("the columns are not of one length")
        return self

    def rows(self) -> tuple[AlertLevel, ...]:
        """One by one, made anew at every call."""
        # The columns were checked: to check each anew would take three times as long.
        return tuple(
            AlertLevel.model_construct(
                labels=labels,
                annotations=annotations,
                state=AlertState.FIRING if firing else AlertState.RESOLVED,
                active_at=starts_at,
                starts_at=starts_at,
                ends_at=ends_at,
                generator_url=generator_url,
            )
            for labels, annotations, firing, starts_at, ends_at, generator_url in zip(
                *(pairs.each_unpacked(self.labels), pairs.each_unpacked(self.annotations)),
                *(self.firing, self.starts_at, self.ends_at, self.generator_urls),
                strict=True,
            )
        )


def told(alerts: Iterable[AlertLevel]) -> ToldAlerts:
    """These in columns. Raises ValueError for what is no text."""
    levels = tuple(alerts)
    labels = tuple(pairs.packed_labels(level.labels) for level in levels)
    return ToldAlerts(
        fingerprints=tuple(packed_fingerprint(one) for one in labels),
        labels=labels,
        annotations=tuple(pairs.packed(level.annotations) for level in levels),
        firing=tuple(level.state is not AlertState.RESOLVED for level in levels),
        starts_at=tuple(
            level.active_at if level.starts_at is None else level.starts_at for level in levels
        ),
        ends_at=tuple(level.ends_at for level in levels),
        generator_urls=tuple(level.generator_url for level in levels),
    )


class Delivery(Event):
    """The intent to tell; receivers get `id` as idempotency key, the same at every attempt.

    `integration` numbers the receiver's channels from 0. The courier gives up at `expires_at`.
    `reference` is what the channel's last receipt in this incident said (a thread, an issue);
    `notice` is a text for people, where the alerts do not say it all. `route_labels` are the
    templates of the route's labels.
    """

    KIND: ClassVar[str] = "delivery"
    VERSION: ClassVar[int] = 2

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
    told: ToldAlerts
    truncated: Whole = 0
    external_url: Text = ""
    incident: Text = ""
    acknowledged_by: Text = ""
    reference: Text = ""
    notice: Text = ""
    route_labels: LabelMap = {}

    @property
    def alerts(self) -> tuple[AlertLevel, ...]:
        """Those that are told, made anew at every call."""
        return self.told.rows()

    @classmethod
    def upgrade(cls, body: dict[str, Any]) -> dict[str, Any]:
        """Version 1 had `alerts`, one an `AlertLevel`."""
        return body | {"told": told(_ROWS.validate_python(body["alerts"]))}


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
