"""How often there are incidents, and how people deal with them; from history."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.services import Services
from schemas.deliveries import Fate
from schemas.incidents import What

MOST: Final = 100_000
"""Incidents that one answer may be about."""
DAY: Final = 86_400_000
PER_INCIDENT: Final = """
SELECT incident, any(receiver), toUnixTimestamp64Milli(any(opened_at)) AS opened,
    toUnixTimestamp64Milli(minIf(time, what IN {taken:Array(String)})),
    countIf(what IN {taken:Array(String)}),
    toUnixTimestamp64Milli(maxIf(time, what = {resolved:String})),
    countIf(what = {resolved:String}), max(false_positive),
    countIf(what = {escalated:String}), countIf(what = {delivered:String}),
    countIf(what = {refused:String})
FROM incidents FINAL
WHERE opened_at >= fromUnixTimestamp64Milli({since:Int64})
    AND time >= fromUnixTimestamp64Milli({since:Int64})
GROUP BY incident ORDER BY opened DESC LIMIT {most:UInt32}
"""


@dataclass(frozen=True, slots=True)
class Life:
    """What history says of one incident; instants and spans in ms."""

    receiver: str
    opened_at: int
    acknowledged_at: int | None
    resolved_at: int | None
    is_false_positive: bool
    escalations: int
    delivered: int
    refused: int


def statistics(services: Services, since: int) -> dict[str, Any]:
    """All incidents opened since then, whole and by receiver.

    Raises `ops.history.errors.HistoryError`.
    """
    params = {
        "since": since,
        "most": MOST,
        "taken": [str(What.ACKNOWLEDGED), str(What.SNOOZED)],
        "resolved": str(What.RESOLVED),
        "escalated": str(What.ESCALATED),
        "delivered": str(Fate.DELIVERED),
        "refused": str(Fate.REFUSED),
    }
    lives = [_life(row) for row in services.history_rows(PER_INCIDENT, params)]
    receivers: dict[str, list[Life]] = {}
    for one in lives:
        receivers.setdefault(one.receiver, []).append(one)
    span = max(1, services.now() - since)
    return {
        "since": since,
        "until": services.now(),
        "complete": len(lives) < MOST,
        "all": summary(lives, span),
        "receivers": {name: summary(found, span) for name, found in sorted(receivers.items())},
    }


def summary(lives: Sequence[Life], span: int) -> dict[str, Any]:
    """Counts, times and shares; what has no cases is None."""
    delivered = sum(one.delivered for one in lives)
    refused = sum(one.refused for one in lives)
    return {
        "incidents": len(lives),
        "incidents_per_day": round(len(lives) * DAY / span, 3),
        "acknowledged": sum(one.acknowledged_at is not None for one in lives),
        "resolved": sum(one.resolved_at is not None for one in lives),
        "false_positives": sum(one.is_false_positive for one in lives),
        "false_positive_share": share(sum(one.is_false_positive for one in lives), len(lives)),
        "escalated": sum(one.escalations > 0 for one in lives),
        "escalated_share": share(sum(one.escalations > 0 for one in lives), len(lives)),
        # Of those that were escalated: whom the calls brought to take it on.
        "escalated_and_acknowledged": sum(
            one.escalations > 0 and one.acknowledged_at is not None for one in lives
        ),
        "deliveries": delivered + refused,
        "delivered_share": share(delivered, delivered + refused),
        "time_to_acknowledge": spread(lives, lambda one: one.acknowledged_at),
        "time_to_resolve": spread(lives, lambda one: one.resolved_at),
    }


def spread(lives: Sequence[Life], end: Callable[[Life], int | None]) -> Mapping[str, float] | None:
    """Mean, median and 90th percentile (nearest rank), in seconds."""
    spans = sorted(max(0, at - one.opened_at) / 1_000 for one in lives if (at := end(one)))
    if not spans:
        return None
    middle = len(spans) // 2
    median = spans[middle] if len(spans) % 2 else (spans[middle - 1] + spans[middle]) / 2
    return {
        "mean": round(math.fsum(spans) / len(spans), 3),
        "median": round(median, 3),
        "p90": round(spans[math.ceil(0.9 * len(spans)) - 1], 3),
    }


def share(part: int, of: int) -> float | None:
    """A part of one; None of nothing."""
    return round(part / of, 4) if of else None


def _life(row: Sequence[Any]) -> Life:
    _, receiver, opened, taken, takes, resolved, ends, false, escalations, delivered, refused = row
    return Life(
        str(receiver),
        int(opened),
        int(taken) if takes else None,
        int(resolved) if ends else None,
        bool(false),
        int(escalations),
        int(delivered),
        int(refused),
    )
