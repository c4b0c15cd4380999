"""Whether the process is well, ready and alive, and what it counts."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from ops.api.guard import authorised
from ops.health import Health, overall, stage_json
from ops.services import Access, Services


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
    @router.api_route("/-/ready", methods=["GET", "HEAD"])
    def readiness() -> Response:
        waiting = [stage.name for stage in services.status() if stage.vital and not stage.ready]
        status = "waiting" if waiting else "ready"
        return JSONResponse({"status": status, "waiting": waiting}, 503 if waiting else 200)

    @router.get("/liveness")
    @router.api_route("/-/healthy", methods=["GET", "HEAD"])
    async def liveness() -> Response:
        return JSONResponse({"status": "alive"})

    @router.get("/metrics")
    def metrics() -> Response:
        return PlainTextResponse(
            services.figures.render(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return router
