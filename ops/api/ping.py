"""Pings from jobs: the URLs of healthchecks.io, which need no login but the secret in the path.

    /ping/ID   /ping/ID/start   /ping/ID/fail   /ping/ID/log   /ping/ID/EXIT_STATUS
    /ping/PING_KEY/NAME, and the same behind it

A ping is durable before it is answered. What a job says is kept up to 10,000 characters; more of
it is read and thrown away, for a long log must not cost the ping.
"""

import asyncio
import math
import threading
import time
import uuid
from collections.abc import Callable
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from notifiers.heartbeats import sealed
from notifiers.heartbeats.book import PREFIX as HEARTBEATS
from notifiers.heartbeats.heartbeat import unpacked_heartbeat
from ops.api.alertmanager_posting import message_of
from ops.services import Services
from schemas.errors import LogAway
from schemas.heartbeats import MAX_PING_BODY, Ping, Signal

MOST_READ: Final = 10 * 1_048_576
READ_WITHIN: Final = 10.0
BURST, A_SECOND = 60.0, 1.0
"""Pings of one heartbeat at once, and from then on."""
KNOWN_FOR: Final = 1.0
"""Seconds for which it is remembered which heartbeats there are."""
AT_ONCE: Final = 16
_SIGNALS: Final = {"start": Signal.START, "fail": Signal.FAIL, "log": Signal.LOG}


class _BadPing(Exception):
    """A ping URL that says nothing we know."""


class Pings:
    """Knows which secret leads to which heartbeat, and how often each was heard of late."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock = services, clock
        self._names: dict[str, str] = {}
        self._looked = -math.inf
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def named(self, path: str) -> str | None:
        """The heartbeat that this secret leads to."""
        with self._lock:
            if self._clock() - self._looked >= KNOWN_FOR:
                self._names = {
                    secret: name
                    for name, entry in self._services.remembered(HEARTBEATS).items()
                    for secret in unpacked_heartbeat(name, entry).definition.paths
                }
                self._left = {
                    n: left for n, left in self._left.items() if n in {*self._names.values()}
                }
                self._looked = self._clock()
            return sealed.named(self._names, path)

    def allows(self, name: str) -> bool:
        """Whether it may ping once more now; if so, it did."""
        with self._lock:
            now = self._clock()
            left, at = self._left.get(name, (BURST, now))
            left = min(BURST, left + (now - at) * A_SECOND)
            self._left[name] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
            return left >= 1.0


def routes(services: Services) -> APIRouter:
    """The routes under `/ping`."""
    router = APIRouter()
    pings, limiter = Pings(services), CapacityLimiter(AT_ONCE)

    @router.api_route("/ping/{path:path}", methods=["GET", "HEAD", "POST"])
    async def ping(request: Request, path: str) -> Response:
        try:
            secret, signal, status = parsed(path)
            run = _run(request.query_params.get("rid"))
        except _BadPing as fault:
            return _text(400, str(fault))
        try:
            name = await to_thread.run_sync(pings.named, secret, limiter=limiter)
            if name is None:
                return await to_thread.run_sync(_unknown, services, limiter=limiter)
            if not pings.allows(name):
                return _text(429, "(rate limited)", {"retry-after": "5"})
            body = await _said(request)
            event = Ping(heartbeat=name, signal=signal, exit_status=status, run=run, body=body)
            message = message_of(event, services.now())
            await to_thread.run_sync(services.publish.publish, [message], limiter=limiter)
        except LogAway as fault:
            return _text(503, str(fault) or "the log does not answer: ping again")
        return _text(200, "OK", {"ping-body-limit": str(MAX_PING_BODY)})

    @router.api_route("/ping/{path:path}", methods=["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    async def no_ping(path: str) -> Response:
        # Answered here: what the console does not find it logs, and this path is a secret.
        return _text(405, "(a ping is GET, HEAD or POST)", {"allow": "GET, HEAD, POST"})

    return router


def parsed(path: str) -> tuple[str, Signal, int | None]:
    """The secret, what is said, and the exit status if one is told. Raises `_BadPing`."""
    parts, signal, status = path.split("/"), Signal.SUCCESS, None
    last = parts[-1]
    if len(parts) > 1 and last in _SIGNALS:
        signal = _SIGNALS[last]
        parts = parts[:-1]
    elif len(parts) > 1 and last.isascii() and last.isdigit():
        if len(last) > 3 or int(last) > 255:
            raise _BadPing("(invalid url: an exit status is 0 to 255)")
        status = int(last)
        signal = Signal.FAIL if status else Signal.SUCCESS
        parts = parts[:-1]
    if len(parts) > 2 or not all(parts):
        raise _BadPing("(invalid url)")
    return "/".join(parts), signal, status


def _run(rid: str | None) -> str:
    if rid is None:
        return ""
    try:
        return str(uuid.UUID(rid))
    except ValueError as fault:
        raise _BadPing("(invalid rid: a UUID is wanted)") from fault


async def _said(request: Request) -> str:
    """The beginning of the body; whoever stalls or breaks off has pinged all the same."""
    kept, read = bytearray(), 0
    try:
        async with asyncio.timeout(READ_WITHIN):
            async for chunk in request.stream():
                kept += chunk[: max(0, MAX_PING_BODY - len(kept))]
                read += len(chunk)
                if read > MOST_READ:
                    break
    except (TimeoutError, ClientDisconnect):
        pass
    return kept.decode("utf-8", "replace")


def _unknown(services: Services) -> Response:
    """Nobody knows it; or, while we still read what we know, not yet."""
    deciding = [one for one in services.status() if one.name in {"router", "follower"}]
    if all(one.ready for one in deciding):
        return _text(404, "(not found)")
    return _text(503, "(starting: ping again)", {"retry-after": "5"})


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, headers=headers)
