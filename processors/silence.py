"""The alert about a partition that a rule group goes on without."""

from collections.abc import Mapping

from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import ALERTS

NAME = "TocsinSourceSilent"
_SUMMARY = (
    "{group} is decided without partition {source}: nothing came from it for two minutes. "
    "Is a detector running that owns it?"
)


def told(
    group: str,
    plan: int,
    sources: Mapping[int, int],
    now: int,
    changed: bool = True,
    ends_at: int | None = None,
) -> list[Output]:
    """Of each source that is silent since some time (ms), or was until `ends_at`."""
    levels = tuple(
        AlertLevel(
            labels={"alertname": NAME, "group": group, "partition": str(source)},
            annotations={"summary": _SUMMARY.format(group=group, source=source)},
            state=AlertState.FIRING if ends_at is None else AlertState.RESOLVED,
            active_at=since,
            starts_at=since,
            ends_at=ends_at,
            value=1.0,
            changed=changed,
        )
        for source, since in sorted(sources.items())
    )
    if not levels:
        return []
    batch = AlertBatch(source=group, plan=plan, decided_at=now, alerts=levels)
    name = derived_id("silence", group, plan, now, *sources, ends_at)
    return [Output(ALERTS, "default", name, batch)]
