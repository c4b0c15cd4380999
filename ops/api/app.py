"""The server's application: every route, behind the guard; the console joins when it is ready."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from ops.api import (
    agents,
    alertmanager,
    dead_letters,
    drills,
    explain,
    health,
    heartbeats,
    incidents,
    login,
    oncall,
    ping,
    prometheus,
    tocsin,
    windows,
)
from ops.api.body import said
from ops.api.dated import Dated
from ops.api.door import Door
from ops.api.guard import Guard, route_path
from ops.api.posted_alerts import PostedAlerts
from ops.api.prefix import Prefixed
from ops.services import Access, Services

log = logging.getLogger("tocsin.api")

Console = Callable[[], AbstractAsyncContextManager[ASGIApp]]
"""Loads the console: its imports take up to a second, so that happens in a thread."""

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_PROGRAMS = ("/api/", "/-/")
"""What only programs ask."""
_STARTING = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="1"><title>Tocsin is starting</title>
<style>:root{color-scheme:light dark}body{font:16px system-ui,sans-serif;display:grid;
place-items:center;min-height:90vh;margin:0}</style></head>
<body><p>Tocsin is starting…</p></body></html>"""


class _Site:
    """What no route of the API takes: the console's place, empty until the console has come.

    Programs are answered in JSON, whether there is a console or not: `api` are the routes that
    know the path under another method.
    """

    def __init__(self, api: Callable[[], Sequence[BaseRoute]]) -> None:
        self.app: ASGIApp | None = None
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
        elif self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1013})
        elif route_path(scope) in {"", "/"} or _wants_page(scope):
            await HTMLResponse(_STARTING, 200)(scope, receive, send)
        else:
            await JSONResponse(_error("no such page"), 404)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a method or path that the API does not have; None for the console's."""
        words = ", ".join(one for one in _METHODS if self._takes({**scope, "method": one}))
        if words:
            return JSONResponse(_error(f"only {words} here"), 405, headers={"Allow": words})
        path = route_path(scope)
        if path.startswith(_PROGRAMS):
            return JSONResponse(_error(f"no such path: {path[:200]}"), 404)
        return None

    def _takes(self, scope: Scope) -> bool:
        routes = (one for one in self._api() if not isinstance(one, Mount))
        return any(one.matches(scope)[0] is Match.FULL for one in routes)


def _wants_page(scope: Scope) -> bool:
    """Whether a browser asks for a page: a link in a message may be followed at any time."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept")
    return scope["method"] == "GET" and b"text/html" in accepted


def build(
    services: Services, access: Access, console: Console | None = None, prefix: str = ""
) -> ASGIApp:
    """The application, under `prefix`. `console` is loaded once the API is being served."""
    site = _Site(lambda: app.routes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if console is None:
            yield
            return
        stop = asyncio.Event()
        task = asyncio.create_task(_host(console, site, stop))
        yield
        stop.set()
        await task

    app = FastAPI(title="Tocsin", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.include_router(health.routes(services, access))
    app.include_router(prometheus.routes(services))
    door = Door(services)
    posted = PostedAlerts(services, door)
    app.include_router(alertmanager.routes(services, door, posted))
    app.include_router(tocsin.routes(services))
    app.include_router(oncall.routes(services))
    app.include_router(incidents.routes(services))
    app.include_router(agents.routes(services))
    app.include_router(windows.routes(services))
    app.include_router(ping.routes(services))
    app.include_router(heartbeats.routes(services))
    app.include_router(drills.routes(services))
    app.include_router(dead_letters.routes(services))
    app.include_router(explain.routes(services))
    app.include_router(login.routes(access))
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unread)
    app.add_exception_handler(Exception, _failed)
    app.mount("/", site)
    guard = Guard(Dated(posted.before(app), services), access, posted.refused)
    return Prefixed(guard, prefix)


async def _host(console: Console, site: _Site, stop: asyncio.Event) -> None:
    """The console's whole life: loaded beside the API, which lives on if that fails."""
    try:
        async with AsyncExitStack() as stack:
            context = await asyncio.to_thread(console)
            site.app = await stack.enter_async_context(context)
            await stop.wait()
    except Exception:
        log.exception("console failed")
    finally:
        site.app = None


async def _refused(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return JSONResponse(_error(str(fault.detail)), fault.status_code, headers=fault.headers)


async def _unread(_: Request, fault: Exception) -> Response:
    """A parameter of the wrong type; what was sent is not said again."""
    assert isinstance(fault, RequestValidationError)
    errors = [{**one, "loc": one["loc"][1:]} for one in fault.errors()]
    return JSONResponse(_error(said(errors)), 422)


async def _failed(_: Request, fault: Exception) -> Response:
    """Only the answer: Starlette raises the fault again, and the guard logs it."""
    return JSONResponse(_error("internal error; the log has more"), 500)


def _error(what: str) -> dict[str, str]:
    return {"status": "error", "error": what}
