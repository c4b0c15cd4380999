"""Alerts as levels: what is pending or firing now, said on change and every 60 s."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import FailFast, model_validator

from schemas import pairs
from schemas.event import Event, LabelMap, Milliseconds, Name, Text, Whole


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class AlertLevel(Event):
    """One alert, whole; whoever reads it needs nothing that was said before.

    `active_at` is when its expression first held, `starts_at` when it began to fire, `ends_at`
    when it resolved. The `reason` of a pending one is how long its rule waits (`schemas.waits`).
    An alert that was only pending resolves without `starts_at`. The id of an
    alert's life is its fingerprint and `active_at`.
    """

    KIND: ClassVar[str] = "alert"

    labels: LabelMap
    annotations: LabelMap = {}
    state: AlertState
    active_at: Milliseconds
    starts_at: Milliseconds | None = None
    ends_at: Milliseconds | None = None
    value: float = 0.0
    changed: bool = True
    reason: Text = ""
    generator_url: Text = ""


class AlertBatch(Event):
    """What one rule group decided at one instant; newer is higher (plan, decided_at, offset)."""

    KIND: ClassVar[str] = "alerts"

    source: Name
    plan: Whole
    decided_at: Milliseconds
    alerts: Annotated[tuple[AlertLevel, ...], FailFast()]


class PostedAlerts(Event):
    """What clients of Alertmanager's API posted, one column a property: the n-th of each is one.

    Label sets and annotations as `schemas.pairs` packs them. Without an `ends_at` the alert ends
    `resolve_timeout` after `decided_at`, unless it is posted again. Read and checked in a tenth of
    the time that the same alerts take as an `AlertBatch`.
    """

    KIND: ClassVar[str] = "posted-alerts"

    decided_at: Milliseconds
    labels: Annotated[tuple[bytes, ...], FailFast()]
    annotations: Annotated[tuple[bytes, ...], FailFast()]
    starts_at: Annotated[tuple[Milliseconds, ...], FailFast()]
    ends_at: Annotated[tuple[Milliseconds | None, ...], FailFast()]
    generator_urls: Annotated[tuple[Text, ...], FailFast()]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        columns = (self.annotations, self.starts_at, self.ends_at, self.generator_urls)
        if any(len(column) != len(self.labels) for column in columns):
            raise ValueError("the columns are not of one length")
        if found := pairs.problem(self.labels) or pairs.problem(self.annotations):
            raise ValueError(found)
        return self
