"""Alertmanager's webhook message, version 4, from a delivery; what is ours is under `tocsin`."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from notifiers.fingerprints import fingerprints
from notifiers.wording import notice, reason
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery
from schemas.pairs import packed_labels

_ZERO = "0001-01-01T00:00:00Z"
"""Go's zero time: how Alertmanager writes that an alert has not ended."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive, and written as UTC)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


def payload(delivery: Delivery) -> dict[str, Any]:
    """The message; `Any`, because it is JSON."""
    firing = any(alert.state is AlertState.FIRING for alert in delivery.alerts)
    names = fingerprints([packed_labels(alert.labels) for alert in delivery.alerts])
    return {
        "receiver": delivery.receiver,
        "status": "firing" if firing else "resolved",
        "alerts": [_alert(alert, name) for alert, name in zip(delivery.alerts, names, strict=True)],
        "notification_reason": reason(delivery.why),
        "groupLabels": delivery.group_labels,
        "commonLabels": delivery.common_labels,
        "commonAnnotations": delivery.common_annotations,
        "routeLabels": delivery.route_labels,
        "externalURL": delivery.external_url,
        "version": "4",
        "groupKey": delivery.group_key,
        "truncatedAlerts": delivery.truncated,
        "tocsin": _ours(delivery),
    }


def _ours(delivery: Delivery) -> dict[str, str]:
    """What Alertmanager has no field for; readers of its messages pass over a key they lack."""
    return {
        "why": delivery.why,
        "incident": delivery.incident,
        "acknowledgedBy": delivery.acknowledged_by,
        "notice": notice(delivery),
    }


def _alert(alert: AlertLevel, name: str) -> dict[str, Any]:
    resolved = alert.state is AlertState.RESOLVED
    return {
        "status": "resolved" if resolved else "firing",
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": rfc3339(alert.active_at if alert.starts_at is None else alert.starts_at),
        "endsAt": rfc3339(alert.ends_at) if resolved and alert.ends_at is not None else _ZERO,
        "generatorURL": alert.generator_url,
        "fingerprint": name,
    }


@lru_cache(maxsize=1024)  # the alerts of a message often began together
def rfc3339(at: int) -> str:
    """As Go writes a time in UTC: no trailing zeros in the fraction."""
    moment = _EPOCH + timedelta(milliseconds=min(max(at, _FIRST), _LAST))
    text = moment.isoformat(timespec="milliseconds")
    return f"{text.rstrip('0').rstrip('.')}Z"
