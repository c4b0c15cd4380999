"""Request bodies, read no further than their limit."""

import asyncio

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect

from ops.api.alertmanager_refusal import NotValid

READ_TIMEOUT = 30.0


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; 413 as soon as it is known to be above the limit, 408 when it stalls."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError as fault:
        raise HTTPException(408, "the body did not come in time") from fault
    except ClientDisconnect as fault:
        raise HTTPException(400, "the body was cut short") from fault
    return bytes(body)


async def read_json_body(request: Request, limit: int) -> bytes | Response:
    """The body of a client of Alertmanager, or what it is told in its place."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind.lower() != "application/json":
        message = f'unsupported media type "{kind[:100]}", only [application/json] are allowed'
        return NotValid(415, message).answer()
    try:
        return await read_body(request, limit)
    except HTTPException as fault:
        return JSONResponse(fault.detail, fault.status_code, headers=fault.headers)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(
        413, f"the body is larger than {limit} bytes", headers={"connection": "close"}
    )
