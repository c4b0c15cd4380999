"""Alertmanager's API v2, for its clients: amtool, Prometheus, Karma, Grafana."""

from collections.abc import Callable
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ops.api import alertmanager_alerts, alertmanager_silences
from ops.api.alertmanager_query import labels_of, matchers_of, meets
from ops.api.alertmanager_refusal import Denied, NotValid
from ops.api.alertmanager_status import status_json
from ops.api.body import read_json_body
from ops.api.door import WITHIN, Door
from ops.api.guard import MAX_BODY
from ops.api.posted_alerts import PostedAlerts
from ops.services import Services

PREFIX: Final = "/api/v2"
AT_ONCE: Final = 16
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def routes(services: Services, door: Door, posted: PostedAlerts) -> APIRouter:
    """The routes under `/api/v2`."""
    router = APIRouter(prefix=PREFIX)
    limiter = CapacityLimiter(AT_ONCE)
    started = services.now()

    async def answer(make: Callable[[], Response]) -> Response:
        return await to_thread.run_sync(_answered, make, limiter=limiter)

    @router.get("/status")
    async def status() -> Response:
        return await answer(lambda: JSONResponse(status_json(services, started)))

    @router.get("/receivers")
    async def receivers(request: Request) -> Response:
        return await answer(lambda: JSONResponse(_receivers(services, request)))

    @router.get("/alerts")
    async def alerts(request: Request) -> Response:
        def listed() -> Response:
            door.seen()
            return JSONResponse(alertmanager_alerts.alerts(services, request.query_params))

        return await answer(listed)

    @router.get("/alerts/groups")
    async def groups(request: Request) -> Response:
        def listed() -> Response:
            door.seen()
            return JSONResponse(alertmanager_alerts.groups(services, request.query_params))

        return await answer(listed)

    @router.post("/alerts")
    async def post_alerts(request: Request) -> Response:
        return await posted.answer(request.scope, request.receive)

    @router.get("/silences")
    async def silences(request: Request) -> Response:
        def listed() -> Response:
            door.seen()
            return JSONResponse(alertmanager_silences.listed(services, request.query_params))

        return await answer(listed)

    @router.post("/silences")
    async def post_silence(request: Request) -> Response:
        body = await read_json_body(request.scope, request.receive, MAX_BODY)
        return (
            body
            if isinstance(body, Response)
            else await answer(lambda: _post_silence(services, door, body))
        )

    @router.get("/silence/{silence_id}")
    async def silence(silence_id: str) -> Response:
        def found() -> Response:
            door.seen()
            return JSONResponse(alertmanager_silences.one(services, silence_id))

        return await answer(found)

    @router.delete("/silence/{silence_id}")
    async def expire(silence_id: str) -> Response:
        def ended() -> Response:
            door.seen()
            door.publish(alertmanager_silences.expired(services, silence_id))
            return _made(door, silence_id, Response(status_code=200))

        return await answer(ended)

    @router.api_route("/{path:path}", methods=list(_METHODS))
    async def unknown(request: Request, path: str) -> Response:
        return _unknown(request, path)

    return router


def _answered(make: Callable[[], Response]) -> Response:
    try:
        return make()
    except (Denied, NotValid) as fault:
        return fault.answer()


def _post_silence(services: Services, door: Door, body: bytes) -> Response:
    door.seen()
    silence_id, messages = alertmanager_silences.posted(services, body)
    door.publish(messages)
    return _made(door, silence_id, JSONResponse({"silenceID": silence_id}))


def _made(door: Door, silence_id: str, answer: Response) -> Response:
    if door.applied():
        return answer
    error = f"written, and not in force within {WITHIN:g} s: the router has not taken it in"
    return JSONResponse({"silenceID": silence_id, "error": error}, 503)


def _receivers(services: Services, request: Request) -> list[dict[str, Any]]:
    routing = services.routing()
    texts = request.query_params.getlist("receiver_matchers")
    before = "failed to parse receiver_matchers param: "
    wanted = matchers_of(texts, routing.mode, before)
    return [
        {"labels": labels, "name": name}
        for name, labels in labels_of(routing).items()
        if not wanted or meets(wanted, labels)
    ]


def _unknown(request: Request, path: str) -> Response:
    known = {
        "status": "GET",
        "receivers": "GET",
        "silences": "POST,GET",
        "alerts": "POST,GET",
        "alerts/groups": "GET",
    }
    allowed = known.get(path)
    if allowed is None and path.startswith("silence/") and path.count("/") == 1:
        allowed = "GET,DELETE"
    if allowed is None:
        return NotValid(404, f"path {PREFIX}/{path[:200]} was not found").answer()
    message = f"method {request.method} is not allowed, but [{allowed}] are"
    answer = NotValid(405, message).answer()
    answer.headers["allow"] = allowed
    return answer
