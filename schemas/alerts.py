"""Alerts as levels: what is pending or firing now, said on change and every 60 s."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import FailFast

from schemas.event import Event, LabelMap, Milliseconds, Name, Text, Whole


class AlertState(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class AlertLevel(Event):
    """One alert, whole; whoever reads it needs nothing that was said before.

    `active_at` is when its expression first held, `starts_at` when it began to fire, `ends_at`
    when it resolved. An alert that was only pending resolves without `starts_at`. The id of an
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
