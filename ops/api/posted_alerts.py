"""POST /api/v2/alerts: the way of every alert from outside, and so the shortest."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ops.api import alertmanager_posting
from ops.api.alertmanager_posting import Posted
from ops.api.alertmanager_refusal import Denied, NotValid
from ops.api.body import read_json_body
from ops.api.door import Door
from ops.api.gathering import Begins, Gathering
from ops.api.guard import ALERTS_BODY, ALERTS_PATH, route_path
from ops.services import Services
from schemas.errors import TooLarge

AT_ONCE: Final = 16
SMALL: Final = 64 * 1024
"""Bytes of a body that is read in the event loop itself; a larger one would hold the others up."""
TAKEN: Final = Response(status_code=200)
Answer = TypeVar("Answer")


class PostedAlerts:
    """What is valid is taken; it is durable, and read by the router before it is asked.

    Stands before the application, whose routing costs more than all that is done here.
    """

    def __init__(self, services: Services, door: Door) -> None:
        self._services, self._door = services, door
        self._gathering = Gathering(door, services.now)
        self._limiter: CapacityLimiter | None = None
        self._alone: CapacityLimiter | None = None

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application, with this door beside its own."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if (
                scope["type"] == "http"
                and scope["method"] == "POST"
                and route_path(scope) == ALERTS_PATH
            ):
                answer = await self.answer(scope, receive)
                await answer(scope, receive, send)
            else:
                await app(scope, receive, send)

        return serve

    def refused(self, status: int) -> None:
        """Somebody was answered so, here or before it came here."""
        self._services.figures.add("tocsin_posts_refused_total", status=str(status))

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """200, or what is wrong."""
        body = await read_json_body(scope, receive, ALERTS_BODY)
        if isinstance(body, Response):
            return body
        try:
            log = self._services.publish
            if not _begins(type(log)):
                return await self._in_thread(lambda: self._take(body))
            if len(body) <= SMALL:
                levels, problems = self._levels(body)
            else:
                levels, problems = await self._one_by_one(lambda: self._levels(body))
            if levels:
                await self._gathering.append(cast(Begins, log), levels, len(body))
            return self._said(problems)
        except (Denied, NotValid) as fault:
            return fault.answer()

    def _take(self, body: bytes) -> Response:
        levels, problems = self._levels(body)
        try:
            messages = alertmanager_posting.batches(levels, self._services.now())
        except TooLarge as fault:
            raise Denied(400, str(fault)) from fault
        self._door.publish(messages)
        return self._said(problems)

    def _levels(self, body: bytes) -> tuple[list[Posted], list[str]]:
        items = alertmanager_posting.items_of(body)
        now, mode = self._services.now(), self._services.routing().mode
        return alertmanager_posting.levels_of(items, now, mode)

    def _said(self, problems: Sequence[str]) -> Response:
        if problems:
            self._services.figures.add("tocsin_alerts_invalid_total", len(problems))
            raise Denied(400, "\n".join(problems))
        return TAKEN

    async def _in_thread(self, make: Callable[[], Answer]) -> Answer:
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)
        return await to_thread.run_sync(make, limiter=self._limiter)

    async def _one_by_one(self, make: Callable[[], Answer]) -> Answer:
        """In a thread; two that read at the same time would only take turns at the interpreter."""
        if self._alone is None:
            self._alone = CapacityLimiter(1)
        return await to_thread.run_sync(make, limiter=self._alone)


# What a protocol asks of an object costs more than all else that is asked here.
@lru_cache(maxsize=16)
def _begins(log: type) -> bool:
    return issubclass(log, Begins)
