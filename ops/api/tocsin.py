"""Our own API: alerts whole, the state of the stages, and the order to reload."""

import math
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from ops.health import overall, stage_json
from ops.services import AlertView, Services


def routes(services: Services) -> APIRouter:
    """The routes under `/api/tocsin/v1`, and `/-/reload`."""
    router = APIRouter()

    @router.get("/api/tocsin/v1/alerts")
    def alerts() -> Response:
        return JSONResponse({"alerts": [alert_json(alert) for alert in services.alerts()]})

    @router.get("/api/tocsin/v1/status")
    def status() -> Response:
        stages = services.status()
        body = {"status": overall(stages), "stages": [stage_json(stage) for stage in stages]}
        return JSONResponse(body | {"cluster": services.cluster()})

    @router.post("/-/reload")
    def reload() -> Response:
        problems = list(services.reload())
        if problems:
            error = f"{len(problems)} problems; what ran goes on"
            return JSONResponse({"status": "error", "error": error, "problems": problems}, 400)
        return JSONResponse({"status": "success"})

    return router


def alert_json(alert: AlertView) -> dict[str, Any]:
    """An alert with everything the router knows of it; times in ms since 1970."""
    return {
        "fingerprint": alert.fingerprint,
        "state": str(alert.state),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "active_at": alert.active_at,
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        # JSON knows no NaN and no infinity.
        "value": alert.value if math.isfinite(alert.value) else None,
    }
