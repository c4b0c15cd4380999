"""Alertmanager's webhook message, version 4, from a delivery; what is ours is under `tocsin`."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from notifiers.wording import notice, reason
from schemas.deliveries import Delivery, ToldAlerts
from schemas.pairs import each_unpacked

_ZERO = "0001-01-01T00:00:00Z"
"""Go's zero time: how Alertmanager writes that an alert has not ended."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive, and written as UTC)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


def payload(delivery: Delivery) -> dict[str, Any]:
    """The message; `Any`, because it is JSON."""
    return {
        "receiver": delivery.receiver,
        "status": "firing" if any(delivery.told.firing) else "resolved",
        "alerts": _alerts(delivery.told),
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


def _alerts(told: ToldAlerts) -> list[dict[str, Any]]:
    return [
        {
            "status": "firing" if firing else "resolved",
            "labels": labels,
            "annotations": annotations,
            "startsAt": rfc3339(starts_at),
            "endsAt": _ZERO if firing or ends_at is None else rfc3339(ends_at),
            "generatorURL": generator_url,
            "fingerprint": fingerprint,
        }
        for fingerprint, labels, annotations, firing, starts_at, ends_at, generator_url in zip(
            *(told.fingerprints, each_unpacked(told.labels), each_unpacked(told.annotations)),
            *(told.firing, told.starts_at, told.ends_at, told.generator_urls),
            strict=True,
        )
    ]


@lru_cache(maxsize=1024)  # the alerts of a message often began together
def rfc3339(at: int) -> str:
    """As Go writes a time in UTC: no trailing zeros in the fraction."""
    moment = _EPOCH + timedelta(milliseconds=min(max(at, _FIRST), _LAST))
    text = moment.isoformat(timespec="milliseconds")
    return f"{text.rstrip('0').rstrip('.')}Z"
