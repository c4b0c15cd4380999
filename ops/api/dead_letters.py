"""Dead letters: listed, shown, and deliveries among them sent again."""

from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from notifiers.drills.resend_book import PREFIX, Resend, unpacked_resend
from ops import dead_letters
from ops.api.body import model_of, read_body
from ops.commands import NotDone, give
from ops.dead_letters import Shelved
from ops.services import Services
from schemas.drills import ResendAsked
from schemas.errors import LogAway

LIFE: Final = 300_000
"""How long (ms) a delivery that is sent again is worth trying."""
MOST: Final = 1_000
MAX_BODY: Final = 16_384
AT_ONCE: Final = 8
MOST_HEX: Final = 8_192
"""Bytes of an original that nobody can read."""


class _Who(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = Field("", max_length=200)


def routes(services: Services) -> APIRouter:
    """`/api/tocsin/v1/dead-letters`."""
    router = APIRouter()
    limiter = CapacityLimiter(AT_ONCE)

    @router.get("/api/tocsin/v1/dead-letters")
    def listed(since: int = 0, limit: int = 100) -> Response:
        if not 1 <= limit <= MOST or not 0 <= since <= 2**53:
            raise HTTPException(400, f"limit is 1 to {MOST}, since is in ms since 1970")
        try:
            found, more = dead_letters.newest(services.records, since, limit)
        except LogAway as fault:
            raise HTTPException(503, str(fault)) from fault
        resent = _resent(services)
        letters = [letter_json(one, resent) for one in found]
        return JSONResponse({"letters": letters, "more": more})

    @router.get("/api/tocsin/v1/dead-letters/{name:path}")
    def shown(name: str) -> Response:
        one = _found(services, name)
        return JSONResponse(letter_json(one, _resent(services)) | {"original": _original(one)})

    @router.post("/api/tocsin/v1/dead-letters/{name:path}/resend")
    async def resend(name: str, request: Request) -> Response:
        body = await read_body(request, MAX_BODY)
        by = model_of(_Who, body).by if body else ""
        return await to_thread.run_sync(_resend, services, name, by, limiter=limiter)

    return router


def _resend(services: Services, name: str, by: str) -> Response:
    one = _found(services, name)
    delivery = one.delivery
    if one.hindrance or delivery is None:
        raise HTTPException(409, f"letter {one.number} cannot be sent again: {one.hindrance}")
    before = _resent(services).get(delivery.id)
    asked = ResendAsked(
        letter=one.id,
        original=one.letter.original,
        by=by,
        expires_at=services.now() + LIFE,
    )
    try:
        give(services, [asked])
    except NotDone as fault:
        raise HTTPException(fault.status, str(fault)) from fault
    after = _resent(services).get(delivery.id)
    if after is None:
        raise HTTPException(503, "the router has not taken it in")
    if after == before:
        raise HTTPException(409, f"letter {one.number}: it is under way already")
    if after.problem:
        raise HTTPException(409, f"letter {one.number}: {after.problem}")
    return JSONResponse({"id": one.id, "delivery": delivery.id} | _resend_json(after), 201)


def letter_json(one: Shelved, resent: dict[str, Resend]) -> dict[str, Any]:
    """A letter without what it holds; times in ms."""
    letter, delivery = one.letter, one.delivery
    again = None if delivery is None else resent.get(delivery.id)
    return {
        "id": one.id,
        "number": one.number,
        "at": one.at,
        "reason": str(letter.reason),
        "detail": letter.detail,
        "stage": letter.stage,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "size": len(letter.original),
        "receiver": None if delivery is None else delivery.receiver,
        "channel": None if delivery is None else delivery.channel,
        "why": None if delivery is None else str(delivery.why),
        "delivery": None if delivery is None else delivery.id,
        "hindrance": one.hindrance,
        "resent": None if again is None else _resend_json(again),
    }


def _original(one: Shelved) -> dict[str, Any]:
    if (delivery := one.delivery) is not None:
        rows = [level.model_dump(mode="json") for level in delivery.alerts]
        event = delivery.model_dump(mode="json", exclude={"told"}) | {"alerts": rows}
        return {"kind": delivery.KIND, "event": event}
    if one.original is not None:
        return {"kind": one.original.KIND, "event": one.original.model_dump(mode="json")}
    content = one.letter.original
    return {"kind": None, "hex": content[:MOST_HEX].hex(), "cut": len(content) > MOST_HEX}


def _resend_json(resend: Resend) -> dict[str, Any]:
    return {
        "letter": resend.letter,
        "by": resend.by,
        "at": resend.at,
        "attempt": resend.attempt,
        "fate": resend.fate or None,
        "reason": resend.reason,
        "detail": resend.detail,
        "problem": resend.problem,
    }


def _resent(services: Services) -> dict[str, Resend]:
    return {name: unpacked_resend(name, e) for name, e in services.remembered(PREFIX).items()}


def _found(services: Services, name: str) -> Shelved:
    number = dead_letters.number_of(name)
    if number is None:
        raise HTTPException(400, "a dead letter has a number, or is tocsin.dead-letters/0/NUMBER")
    try:
        found = dead_letters.one(services.records, number)
    except LogAway as fault:
        raise HTTPException(503, str(fault)) from fault
    if found is None:
        raise HTTPException(404, f"there is no dead letter {number}: they are kept for 30 days")
    return found
