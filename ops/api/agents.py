"""The agents' door: metric and check events over HTTP, appended to the log as they are."""

from collections.abc import Sequence
from typing import Any, Final

import ormsgpack
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from ops.api.body import read_body
from ops.api.guard import PUBLISH_PATH
from ops.services import Services
from schemas.checks import CheckResult
from schemas.errors import LogAway, Refused, TooLarge, Undecodable
from schemas.metrics import MetricBatch
from schemas.stage import Message, Position
from schemas.topics import CODEC, METRICS

MAX_BODY: Final = 16 * 1024 * 1024
MAX_MESSAGES: Final = 10_000
MAX_AT_ONCE: Final = 16
"""Bodies held at one time: a quarter of a gigabyte at the worst."""
RETRY_AFTER: Final = "5"


def routes(services: Services) -> APIRouter:
    """The one route, before which the guard asks for the token."""
    router = APIRouter()
    limiter = CapacityLimiter(MAX_AT_ONCE)
    held = 0

    @router.post(PUBLISH_PATH)
    async def publish(request: Request) -> Response:
        """Append events; answers once they are durable."""
        nonlocal held
        if held >= MAX_AT_ONCE:
            return _away("too many agents at once")
        held += 1
        try:
            body = await read_body(request, MAX_BODY)
            return await to_thread.run_sync(append, services, body, limiter=limiter)
        finally:
            held -= 1

    return router


def append(services: Services, body: bytes) -> Response:
    """All of the body's messages, or none."""
    messages = messages_of(body)
    try:
        positions = services.publish.publish(messages)
    except TooLarge as fault:
        raise HTTPException(413, str(fault)) from fault
    except Refused as fault:
        raise HTTPException(400, str(fault)) from fault
    except LogAway as fault:
        return _away(str(fault) or "the log does not answer")
    return JSONResponse({"positions": [_position(position) for position in positions]})


def messages_of(body: bytes) -> list[Message]:
    """The messages, each checked; 400 names the first that an agent may not send."""
    try:
        items = ormsgpack.unpackb(body)
    except ValueError as fault:
        raise HTTPException(400, f"the body is not MessagePack: {fault}") from fault
    if not isinstance(items, list) or len(items) > MAX_MESSAGES:
        raise HTTPException(400, f"the body must be a list of up to {MAX_MESSAGES} messages")
    return [_message(index, item) for index, item in enumerate(items)]


def _message(index: int, item: Any) -> Message:
    match item:
        case [str(topic), str(key), bytes(value)]:
            pass
        case _:
            raise _bad(index, "is not [topic, key, value]")
    if topic != METRICS:
        raise _bad(index, f"is for {topic[:100]!r}; agents publish to {METRICS}")
    try:
        event = CODEC.decode(value).event
    except Undecodable as fault:
        raise _bad(index, str(fault)) from fault
    if not isinstance(event, MetricBatch | CheckResult):
        raise _bad(index, f"is a {event.KIND}, which agents do not publish")
    if key != event.instance:
        raise _bad(index, "has a key that is not its instance")
    return Message(topic, key, value)


def _bad(index: int, why: str) -> HTTPException:
    return HTTPException(400, f"message {index} {why}; nothing was appended")


def _away(why: str) -> Response:
    body = {"status": "error", "error": why}
    return JSONResponse(body, 503, headers={"retry-after": RETRY_AFTER})


def _position(position: Position) -> Sequence[str | int]:
    partition = position.partition
    return [partition.topic, partition.number, position.offset, position.appended_at]
