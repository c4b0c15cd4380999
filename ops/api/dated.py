"""Answers tell up to when they hold, where that is not now."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ops.services import Services

HEADER: Final = "x-tocsin-as-of"
"""Milliseconds since 1970, by the log's clock."""


class Dated:
    """Puts the header on every answer, with the time that held when the answer began."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Asked first: what is read later cannot be older.
        as_of = self.services.as_of if scope["type"] == "http" else None
        if as_of is None:
            await self.app(scope, receive, send)
            return

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = str(as_of)
            await send(message)

        await self.app(scope, receive, dated)
