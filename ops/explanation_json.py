"""An explanation for programs; instants and lengths in ms."""

from typing import Any

from notifiers.explain.answer import Explanation
from notifiers.explain.live import AlertNow, fires_at


def as_json(one: Explanation) -> dict[str, Any]:
    """The whole of it."""
    live = one.live
    return {
        "fingerprint": one.fingerprint,
        "labels": dict(one.labels),
        "now": one.now,
        "answer": one.answer,
        "paged": one.paged,
        "state": None if live is None else str(live.level.state),
        "active_at": None if live is None else live.level.active_at,
        "starts_at": None if live is None else live.level.starts_at,
        "ends_at": None if live is None else live.level.ends_at,
        "fires_at": None if live is None else fires_at(live.level),
        "ways": [] if live is None else _ways(live),
        "timeline": [
            {"at": each.at, "what": each.what, "text": each.text} for each in one.timeline
        ],
        "timeline_dropped": one.dropped,
        "time": None
        if one.time is None
        else {
            "delivery": one.time.delivery,
            "receiver": one.time.receiver,
            "start": one.time.start,
            "end": one.time.end,
            "total": one.time.total,
            "parts": [{"name": p.name, "ms": p.ms, "text": p.text} for p in one.time.parts],
        },
        "limits": one.limits,
    }


def _ways(live: AlertNow) -> list[dict[str, Any]]:
    return [
        {
            "receiver": way.receiver,
            "route": list(way.route),
            "group": way.group,
            "due": way.due,
            "incident": way.incident,
            "channels": [
                {
                    "receiver": each.receiver,
                    "channel": each.channel,
                    "integration": each.integration,
                    "standing": str(each.standing),
                    "text": each.text,
                    "told_at": each.told_at,
                    "repeat_at": each.repeat_at,
                    "delivery": each.delivery,
                    "attempt": each.attempt,
                    "retry_at": each.retry_at,
                    "held": [
                        {"cause": cause.cause, "text": cause.text, "until": cause.until}
                        for cause in each.held
                    ],
                }
                for each in way.channels
            ],
        }
        for way in live.ways
    ]
