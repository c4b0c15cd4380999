"""Whether a process is well, from how its stages are; the words that probes answer with."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from ops.services import StageStatus


class Health(StrEnum):
    """The whole process in a word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


def overall(stages: Sequence[StageStatus]) -> Health:
    """Unhealthy when nobody might be paged, degraded when something lesser is missing."""
    vital = [stage for stage in stages if stage.vital]
    if any(not stage.healthy for stage in vital):
        return Health.UNHEALTHY
    if not vital or any(not stage.ready for stage in vital):
        return Health.UNKNOWN
    return Health.HEALTHY if all(s.healthy and s.ready for s in stages) else Health.DEGRADED


def stage_json(stage: StageStatus, *, whole: bool = True) -> dict[str, Any]:
    """A stage as JSON, without its message and figures for strangers."""
    word: dict[str, Any] = {"name": stage.name, "healthy": stage.healthy, "ready": stage.ready}
    if whole:
        word |= {"message": stage.message, "vital": stage.vital, "figures": dict(stage.figures)}
    return word
