"""What Alertmanager's API says of an alert, a group and a silence, as JSON."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from notifiers.matchers import Operator
from notifiers.templating.group_labels import group_labels
from notifiers.view import GroupView, SilenceView
from ops.api.numbers import when_text
from ops.services import AlertView

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?)?")
_EQUAL = frozenset({Operator.EQUAL, Operator.MATCHES})
_REGEX = frozenset({Operator.MATCHES, Operator.MATCHES_NOT})
ZERO = -62_135_596_800_000
"""Go's zero time (ms), which clients send for a time they leave out."""
_LATEST = 253_402_300_799_999


def time_of(text: str) -> int:
    """RFC 3339, or a date alone, in ms; without a zone it is UTC. Raises ValueError.

    Its zone may carry a time out of the years 1 to 9999, in which alone it can be told again.
    """
    if _TIME.fullmatch(text) is None:
        raise ValueError(text)
    when = datetime.fromisoformat(text)
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    at = round((when - datetime.fromtimestamp(0, UTC)).total_seconds() * 1_000)
    return min(max(at, ZERO), _LATEST)


def alert_json(
    alert: AlertView,
    receivers: Sequence[str],
    resolve_timeout: int,
    muted_by: Sequence[str] = (),
) -> dict[str, Any]:
    """A gettableAlert; without an end it ends once it is not heard of for `resolve_timeout`.

    `muted_by` are the time intervals that mute its group; outside groups Alertmanager tells none.
    Maintenance windows, which Alertmanager does not have, stand there too.
    """
    starts_at = alert.active_at if alert.starts_at is None else alert.starts_at
    ends_at = alert.expires_at if alert.ends_at is None else alert.ends_at
    if ends_at is None:
        ends_at = alert.updated_at + resolve_timeout
    muted = [*muted_by, *(f"window/{one}" for one in alert.windows)]
    held = alert.silenced_by or alert.inhibited_by or muted
    body = {
        "annotations": dict(alert.annotations),
        "endsAt": when_text(ends_at),
        "fingerprint": alert.fingerprint,
        "receivers": [{"name": name} for name in receivers],
        "startsAt": when_text(starts_at),
        "status": {
            "inhibitedBy": list(alert.inhibited_by),
            "mutedBy": muted,
            "silencedBy": list(alert.silenced_by),
            "state": "suppressed" if held else "active",
        },
        "updatedAt": when_text(alert.updated_at),
        "labels": dict(alert.labels),
    }
    return body | ({"generatorURL": alert.generator_url} if alert.generator_url else {})


def group_json(group: GroupView, alerts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An alertGroup with these alerts."""
    return {
        "alerts": list(alerts),
        "labels": dict(group.labels),
        "receiver": {"name": group.receiver},
        "routeLabels": group_labels(group),
    }


def silence_json(view: SilenceView) -> dict[str, Any]:
    """A gettableSilence, which has room for one set of matchers."""
    silence = view.silence
    body = {
        "id": silence.id,
        "status": {"state": str(view.state)},
        "updatedAt": when_text(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": when_text(silence.ends_at),
        "matchers": [
            {
                "isEqual": matcher.operator in _EQUAL,
                "isRegex": matcher.operator in _REGEX,
                "name": matcher.name,
                "value": matcher.value,
            }
            for matcher in silence.sets[0]
        ],
        "startsAt": when_text(silence.starts_at),
    }
    return body | ({"annotations": dict(silence.annotations)} if silence.annotations else {})
