"""Our API of explanations: why somebody was paged, or nobody; times in ms."""

from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from notifiers.explain.asked import Asked, asked
from ops.explaining import explain
from ops.explanation_json import as_json
from ops.services import Services

AT_ONCE: Final = 4
MOST_WORDS: Final = 50


def routes(services: Services) -> APIRouter:
    """`/api/tocsin/v1/alerts/{fingerprint}/explain`, and `/api/tocsin/v1/explain?ask=…`."""
    router = APIRouter(prefix="/api/tocsin/v1")
    limiter = CapacityLimiter(AT_ONCE)

    @router.get("/alerts/{fingerprint}/explain")
    async def one(fingerprint: str) -> Response:
        what = Asked(fingerprint=fingerprint)
        return await to_thread.run_sync(_one, services, what, limiter=limiter)

    @router.get("/explain")
    async def several(request: Request) -> Response:
        words = request.query_params.getlist("ask")
        if len(words) > MOST_WORDS:
            return _error(f"more than {MOST_WORDS} labels", 400)
        try:
            what = asked(words)
        except ValueError as fault:
            return _error(str(fault), 400)
        return await to_thread.run_sync(_several, services, what, limiter=limiter)

    return router


def _one(services: Services, what: Asked) -> Response:
    answer = explain(services, what)
    if not answer.found:
        return _error(answer.nothing, 404)
    return JSONResponse(as_json(answer.found[0]))


def _several(services: Services, what: Asked) -> Response:
    answer = explain(services, what)
    found = [as_json(one) for one in answer.found]
    body = {"explanations": found, "more": answer.is_cut, "nothing": answer.nothing}
    return JSONResponse(body)


def _error(what: str, status: int) -> Response:
    return JSONResponse({"status": "error", "error": what}, status)
