"""Request bodies, read no further than their limit."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.types import Receive, Scope

from ops.api.alertmanager_refusal import NotValid

READ_TIMEOUT = 30.0
Shape = TypeVar("Shape", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; 413 as soon as it is known to be above the limit, 408 when it stalls."""
    return await received(request.scope, request.receive, limit)


async def received(scope: Scope, receive: Receive, limit: int) -> bytes:
    """As `read_body`, for who needs nothing else of a request."""
    declared = _header(scope, b"content-length")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    task = asyncio.current_task()
    assert task is not None
    stalled = False

    def give_up() -> None:
        nonlocal stalled
        stalled = True
        task.cancel()

    # By hand: `asyncio.timeout` is a twentieth of all that a POST of one alert costs the server.
    before = task.cancelling()
    timer = asyncio.get_running_loop().call_later(READ_TIMEOUT, give_up)
    try:
        return await _whole(receive, limit)
    except asyncio.CancelledError as fault:
        if stalled and task.uncancel() <= before:
            raise HTTPException(408, "the body did not come in time") from fault
        raise
    finally:
        timer.cancel()


async def _whole(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the body was cut short")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def json_of(body: bytes | str) -> Any:
    """The JSON of a body, without what could be neither stored nor said again.

    That is half a surrogate pair, NaN, and what is nested without end. Raises ValueError.
    """
    return from_json(body, allow_inf_nan=False)


def model_of(kind: type[Shape], body: bytes) -> Shape:
    """The body as this model; 422 with what is wrong, and nothing of what was sent."""
    try:
        return kind.model_validate(json_of(body or b"null"))
    except ValidationError as fault:
        raise HTTPException(422, said(fault.errors())) from fault
    except ValueError as fault:
        raise HTTPException(400, f"the body is no JSON: {fault}") from fault


def said(errors: Sequence[Mapping[str, Any]]) -> str:
    """What pydantic found, in one line: where, and what is wanted there."""
    found = [(".".join(map(str, one["loc"]))[:100], one["msg"]) for one in errors[:5]]
    return "; ".join(f"{where or 'body'}: {what}" for where, what in found)


async def read_json_body(scope: Scope, receive: Receive, limit: int) -> bytes | Response:
    """The body of a client of Alertmanager, or what it is told in its place."""
    said = _header(scope, b"content-type", b"application/json").decode("latin-1")
    kind = said.partition(";")[0].strip()
    if kind.lower() != "application/json":
        message = f'unsupported media type "{kind[:100]}", only [application/json] are allowed'
        return NotValid(415, message).answer()
    try:
        return await received(scope, receive, limit)
    except HTTPException as fault:
        return JSONResponse(fault.detail, fault.status_code, headers=fault.headers)


def _header(scope: Scope, wanted: bytes, otherwise: bytes = b"") -> bytes:
    """The first of this name; `Headers` would decode them all to be asked once."""
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return otherwise


def _too_large(limit: int) -> HTTPException:
    return HTTPException(
        413, f"the body is larger than {limit} bytes", headers={"connection": "close"}
    )
