"""Alertmanager's API v2, for its clients: amtool, Prometheus, Karma, Grafana."""

import threading
from collections.abc import Callable
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from ops.api import alertmanager_alerts, alertmanager_posting, alertmanager_silences
from ops.api.alertmanager_query import labels_of, matchers_of, meets
from ops.api.alertmanager_refusal import Denied, NotValid
from ops.api.alertmanager_status import status_json
from ops.api.body import read_body
from ops.api.guard import ALERTS_BODY, MAX_BODY
from ops.services import Services
from schemas.errors import LogAway, TooLarge
from schemas.stage import Message, Partition, Position

PREFIX: Final = "/api/v2"
WITHIN: Final = 5.0
"""Seconds that the router has to take in what was posted."""
AT_ONCE: Final = 16
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Door:
    """Appends, and knows up to where what came through here has to be seen by who asks next."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last: dict[Partition, Position] = {}
        self._lock = threading.Lock()

    def publish(self, messages: list[Message]) -> None:
        """Append, durably, before this returns. Raises `Denied`."""
        if not messages:
            return
        try:
            positions = self._services.publish.publish(messages)
        except TooLarge as fault:
            raise Denied(400, str(fault)) from fault
        except LogAway as fault:
            raise Denied(503, str(fault) or "the log does not answer") from fault
        with self._lock:
            for position in positions:
                known = self._last.get(position.partition)
                if known is None or known.offset < position.offset:
                    self._last[position.partition] = position

    def applied(self) -> bool:
        """Whether the router has taken all that was published here; waits for it."""
        with self._lock:
            waited = list(self._last.values())
        if not all(self._services.applied(position, WITHIN) for position in waited):
            return False
        with self._lock:
            for position in waited:
                if self._last.get(position.partition) == position:
                    del self._last[position.partition]
        return True

    def seen(self) -> None:
        """Wait until what is answered knows of what was posted. Raises `Denied`."""
        if not self.applied():
            raise Denied(503, f"the router has not taken in what was posted within {WITHIN:g} s")


def routes(services: Services) -> APIRouter:
    """The routes under `/api/v2`."""
    router = APIRouter(prefix=PREFIX)
    limiter = CapacityLimiter(AT_ONCE)
    door = Door(services)
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
        body = await _json_body(request, ALERTS_BODY)
        return (
            body
            if isinstance(body, Response)
            else await answer(lambda: _post_alerts(services, door, body))
        )

    @router.get("/silences")
    async def silences(request: Request) -> Response:
        def listed() -> Response:
            door.seen()
            return JSONResponse(alertmanager_silences.listed(services, request.query_params))

        return await answer(listed)

    @router.post("/silences")
    async def post_silence(request: Request) -> Response:
        body = await _json_body(request, MAX_BODY)
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


def _post_alerts(services: Services, door: Door, body: bytes) -> Response:
    """What is valid is taken; it is durable, and read by the router before it is asked."""
    items = alertmanager_posting.items_of(body)
    now = services.now()
    levels, problems = alertmanager_posting.levels_of(items, now, services.routing().mode)
    try:
        messages = alertmanager_posting.batches(levels, now)
    except TooLarge as fault:
        raise Denied(400, str(fault)) from fault
    door.publish(messages)
    if problems:
        raise Denied(400, "\n".join(problems))
    return Response(status_code=200)


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


async def _json_body(request: Request, limit: int) -> bytes | Response:
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        message = f'unsupported media type "{kind[:100]}", only [application/json] are allowed'
        return NotValid(415, message).answer()
    try:
        return await read_body(request, limit)
    except HTTPException as fault:
        return JSONResponse(fault.detail, fault.status_code, headers=fault.headers)


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
