"""Whether the process is well, ready and alive, and what it counts."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from ops.api.guard import authorised
from ops.services import Access, Services, StageStatus


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


def routes(services: Services, access: Access) -> APIRouter:
    """Probes, open to all; what they say beyond a word is for those who may read."""
    router = APIRouter()

    @router.get("/health")
    def health(request: Request) -> Response:
        stages = services.status()
        word = overall(stages)
        whole = not access.guarded or authorised(request.headers, access)
        body = {"status": word, "stages": [stage_json(stage, whole=whole) for stage in stages]}
        return JSONResponse(body, 503 if word in {Health.UNHEALTHY, Health.UNKNOWN} else 200)

    @router.get("/readiness")
    @router.get("/-/ready")
    def readiness() -> Response:
        waiting = [stage.name for stage in services.status() if stage.vital and not stage.ready]
        status = "waiting" if waiting else "ready"
        return JSONResponse({"status": status, "waiting": waiting}, 503 if waiting else 200)

    @router.get("/liveness")
    @router.get("/-/healthy")
    async def liveness() -> Response:
        return JSONResponse({"status": "alive"})

    @router.get("/metrics")
    def metrics() -> Response:
        return PlainTextResponse(
            services.figures.render(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return router


def stage_json(stage: StageStatus, *, whole: bool = True) -> dict[str, Any]:
    """A stage as JSON, without its message and figures for strangers."""
    word: dict[str, Any] = {"name": stage.name, "healthy": stage.healthy, "ready": stage.ready}
    if whole:
        word |= {"message": stage.message, "vital": stage.vital, "figures": dict(stage.figures)}
    return word
