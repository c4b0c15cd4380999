"""Deliveries to send."""

from collections.abc import Iterable

from notifiers.channels.channel import Message
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery, Why, told


def delivery(*, alerts: Iterable[AlertLevel] | None = None, **fields: object) -> Delivery:
    """One with a firing and a resolved alert, unless others are given."""
    firing = AlertLevel(
        labels={"alertname": "CPU", "instance": "a"},
        annotations={"summary": "hot"},
        state=AlertState.FIRING,
        active_at=1_700_000_000_000,
        starts_at=1_700_000_000_250,
        generator_url="http://gen/",
    )
    resolved = AlertLevel(
        labels={"alertname": "CPU", "instance": "b"},
        state=AlertState.RESOLVED,
        active_at=1_700_000_000_000,
        starts_at=1_700_000_001_000,
        ends_at=1_700_000_060_000,
    )
    return Delivery.model_validate(
        {
            "id": "0123456789abcdef01234567",
            "group_key": '{}:{alertname="CPU"}',
            "receiver": "ops",
            "integration": 0,
            "channel": "webhook",
            "why": Why.FIRST,
            "decided_at": 1_700_000_060_000,
            "expires_at": 1_700_000_360_000,
            "group_labels": {"alertname": "CPU"},
            "common_labels": {"alertname": "CPU"},
            "told": told((firing, resolved) if alerts is None else alerts),
            "truncated": 2,
            "external_url": "http://tocsin/",
            **fields,
        }
    )


def message(
    timeout: float = 5.0, *, alerts: Iterable[AlertLevel] | None = None, **fields: object
) -> Message:
    """A message that carries it."""
    return Message(delivery(alerts=alerts, **fields), timeout)
