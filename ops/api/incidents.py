"""Our API of incidents: listed, told whole, acted on, exported, counted; times in ms."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from notifiers.duration import milliseconds
from notifiers.incidents.view import IncidentView
from ops import incidents
from ops.api.alertmanager_shapes import time_of
from ops.api.body import json_of, read_body
from ops.commands import NotDone
from ops.history.errors import HistoryAway, HistoryError
from ops.incident_export import as_json, markdown
from ops.incident_statistics import statistics
from ops.services import Services
from schemas.incidents import IncidentAction

PREFIX: Final = "/api/tocsin/v1/incidents"
MAX_BODY: Final = 65_536
MOST_LISTED: Final = 1_000
AT_ONCE: Final = 8
SINCE: Final = 30 * 86_400_000
_ACTIONS: Final = {str(one).replace(" ", "-"): one for one in IncidentAction}
_TIMED: Final = frozenset({IncidentAction.ACKNOWLEDGE, IncidentAction.SNOOZE})


def routes(services: Services) -> APIRouter:
    """The routes under `/api/tocsin/v1/incidents`."""
    router = APIRouter(prefix=PREFIX)
    limiter = CapacityLimiter(AT_ONCE)

    async def answer(make: Callable[[], Response]) -> Response:
        return await to_thread.run_sync(_answered, make, limiter=limiter)

    @router.get("")
    async def listed(request: Request) -> Response:
        states = request.query_params.getlist("state")
        limit = request.query_params.get("limit", str(MOST_LISTED))
        return await answer(lambda: _listed(services, states, limit))

    @router.get("/statistics")
    async def counted(since: str = "") -> Response:
        return await answer(lambda: JSONResponse(_counted(services, since)))

    @router.get("/{name}")
    async def one(name: str) -> Response:
        return await answer(lambda: JSONResponse(as_json(_whole(services, name))))

    @router.get("/{name}/export")
    async def export(name: str, request: Request) -> Response:
        kind = request.query_params.get("format", "json")
        return await answer(lambda: _export(services, name, kind))

    @router.post("/{name}/{action}")
    async def act(name: str, action: str, request: Request) -> Response:
        body = await read_body(request, MAX_BODY)

        def done() -> Response:
            wish = _wish(action, body)
            return JSONResponse(as_json(incidents.act(services, name, wish)))

        return await answer(done)

    return router


def _answered(make: Callable[[], Response]) -> Response:
    try:
        return make()
    except NotDone as fault:
        return _error(fault.status, str(fault))
    except HistoryAway as fault:
        return _error(503, f"history is away: {fault}")
    except HistoryError as fault:
        return _error(500, f"history refused the question: {fault}")


def _error(status: int, text: str) -> Response:
    return JSONResponse({"status": "error", "error": text}, status)


def _listed(services: Services, states: list[str], limit: str) -> Response:
    if not (
        limit.isascii() and limit.isdigit() and len(limit) < 9 and 1 <= int(limit) <= MOST_LISTED
    ):
        raise NotDone(400, f"limit: 1 to {MOST_LISTED} are wanted")
    found = incidents.listed(services, states)
    shown = [as_json(one, whole=False) for one in found[: int(limit)]]
    return JSONResponse({"incidents": shown, "total": len(found)})


def _whole(services: Services, name: str) -> IncidentView:
    return incidents.whole(services, incidents.found(services, name))


def _export(services: Services, name: str, kind: str) -> Response:
    if kind not in {"json", "markdown"}:
        raise NotDone(400, f'format: json or markdown is wanted, not "{kind[:40]}"')
    incident = _whole(services, name)
    ending = "json" if kind == "json" else "md"
    headers = {"content-disposition": f'attachment; filename="incident-{incident.id}.{ending}"'}
    if kind == "json":
        return JSONResponse(as_json(incident), headers=headers)
    return PlainTextResponse(markdown(incident), media_type="text/markdown", headers=headers)


def _counted(services: Services, since: str) -> dict[str, Any]:
    return statistics(services, _since(since, services.now()))


def _since(text: str, now: int) -> int:
    """How far back (`30d`), a time (RFC 3339), or 30 days."""
    if not text:
        return now - SINCE
    try:
        return now - milliseconds(text)
    except ValueError:
        pass
    try:
        return time_of(text)
    except ValueError as fault:
        hint = "a duration such as 30d, or a time as 2026-01-31T00:00:00Z"
        raise NotDone(400, f'since: {hint} is wanted, not "{text[:40]}"') from fault


def _wish(action: str, body: bytes) -> incidents.Act:
    known = _ACTIONS.get(action)
    if known is None:
        raise NotDone(404, f'"{action[:40]}" is not one of {", ".join(_ACTIONS)}')
    given = _given(body, {"by", "note", "for"} if known in _TIMED else {"by", "note"})
    lasts = None
    if given.get("for"):
        try:
            lasts = milliseconds(given["for"])
        except ValueError as fault:
            raise NotDone(400, f"for: {fault}") from fault
    return incidents.Act(known, given.get("by", ""), given.get("note", ""), lasts)


def _given(body: bytes, known: set[str]) -> Mapping[str, str]:
    try:
        found = json_of(body) if body.strip() else {}
    except ValueError as fault:
        raise NotDone(400, f"the body is no JSON: {fault}") from fault
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise NotDone(400, "the body is an object of texts")
    if unknown := found.keys() - known:
        raise NotDone(
            400, f"{min(unknown)[:60]}: unknown key; known are {', '.join(sorted(known))}"
        )
    return found
