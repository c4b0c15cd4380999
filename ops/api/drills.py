"""Fire drills: asked for, and what became of them."""

import uuid
from typing import Annotated, Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from notifiers.drills.drill import PREFIX, Drill, unpacked_drill
from ops.api.body import model_of, read_body
from ops.commands import NotDone, give
from ops.services import Services
from schemas.drills import DrillAsked

MAX_BODY: Final = 16_384
AT_ONCE: Final = 8


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    receiver: Annotated[str, Field(min_length=1, max_length=1_024)]
    by: Annotated[str, Field(max_length=200)] = ""
    timeout: Annotated[float, Field(ge=1, le=3_600)] = 60.0


def routes(services: Services) -> APIRouter:
    """`/api/tocsin/v1/drills`."""
    router = APIRouter()
    limiter = CapacityLimiter(AT_ONCE)

    @router.post("/api/tocsin/v1/drills")
    async def ask(request: Request) -> Response:
        asked = model_of(_Asked, await read_body(request, MAX_BODY))
        return await to_thread.run_sync(_ask, services, asked, limiter=limiter)

    @router.get("/api/tocsin/v1/drills")
    def listed() -> Response:
        entries = services.remembered(PREFIX).items()
        drills = sorted(
            (unpacked_drill(*one) for one in entries), key=lambda one: (-one.at, one.id)
        )
        return JSONResponse({"drills": [drill_json(drill) for drill in drills]})

    @router.get("/api/tocsin/v1/drills/{name}")
    def one(name: str) -> Response:
        return JSONResponse(drill_json(_found(services, name)))

    return router


def _ask(services: Services, asked: _Asked) -> Response:
    name = uuid.uuid4().hex
    expires_at = services.now() + round(asked.timeout * 1_000)
    event = DrillAsked(id=name, receiver=asked.receiver, by=asked.by, expires_at=expires_at)
    try:
        give(services, [event])
    except NotDone as fault:
        raise HTTPException(fault.status, str(fault)) from fault
    drill = _found(services, name)
    if drill.problem:
        raise HTTPException(404, drill.problem)
    return JSONResponse(drill_json(drill), 201)


def drill_json(drill: Drill) -> dict[str, Any]:
    """A drill; a channel of which nothing was heard yet has no fate."""
    channels = [
        {
            "channel": one.kind,
            "integration": one.index,
            "delivery": one.delivery,
            "fate": one.fate or None,
            "reason": one.reason,
            "detail": one.detail,
            "tries": one.tries,
            "duration": one.duration,
            "at": one.at or None,
        }
        for one in drill.tried
    ]
    return {
        "id": drill.id,
        "receiver": drill.receiver,
        "by": drill.by,
        "at": drill.at,
        "expires_at": drill.expires_at,
        "done": all(one.fate for one in drill.tried),
        "problem": drill.problem,
        "channels": channels,
    }


def _found(services: Services, name: str) -> Drill:
    entry = services.remembered(PREFIX).get(name)
    if entry is None:
        raise HTTPException(404, "no such drill: they are kept for a day")
    return unpacked_drill(name, entry)
