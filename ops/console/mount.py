"""The console as an application to mount; importing NiceGUI takes most of a second, so do it late.

NiceGUI keeps its application in module globals: a process has one console at a time.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Annotated, Any

from starlette.types import ASGIApp

from ops.console.look import Eyes
from ops.services import Services

_shell: list[Any] = []
_eyes: list[Eyes] = []


def wall() -> int:
    """The machine's clock, in ms."""
    return time.time_ns() // 1_000_000


def console(
    services: Services, now: Callable[[], int] = wall
) -> Callable[[], AbstractAsyncContextManager[ASGIApp]]:
    """What `ops.api.app.build` loads in a thread: the call imports, the context runs the page."""
    return partial(_load, Eyes(services, now))


def is_told(record: logging.LogRecord) -> bool:
    """Whether a line of NiceGUI's may be logged: none with an address that it does not know.

    Strangers would fill the log with those, and a mistyped ping's address is a secret all the same.
    """
    return not record.getMessage().endswith(" not found")


def _load(eyes: Eyes) -> AbstractAsyncContextManager[ASGIApp]:
    if not _shell:
        _shell.append(_build())
    return _run(eyes, _shell[0])


@asynccontextmanager
async def _run(eyes: Eyes, shell: Any) -> AsyncIterator[ASGIApp]:
    _eyes[:] = [eyes]
    async with shell.router.lifespan_context(shell):
        yield shell


def _build() -> Any:
    from fastapi import FastAPI, Query
    from nicegui import ui

    from ops.console.graph_page import GraphPage
    from ops.console.incident_page import IncidentPage
    from ops.console.incidents_page import IncidentsPage
    from ops.console.page import Page
    from ops.console.silences_page import SilencesPage

    @ui.page("/")
    async def page() -> None:
        await Page(_eyes[0]).open()

    @ui.page("/silences", title="Silences · Tocsin")
    async def silences(incident: str = "") -> None:
        await SilencesPage(_eyes[0]).open(incident)

    @ui.page("/incidents", title="Incidents · Tocsin")
    async def incidents() -> None:
        await IncidentsPage(_eyes[0]).open()

    @ui.page("/incidents/{name}", title="Incident · Tocsin")
    async def incident(name: str) -> None:
        await IncidentPage(_eyes[0], name).open()

    @ui.page("/graph", title="Query · Tocsin")
    async def graph(expr: Annotated[str, Query(alias="g0.expr")] = "") -> None:
        await GraphPage(_eyes[0], expr).open()

    logging.getLogger("nicegui").addFilter(is_told)
    shell = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    ui.run_with(
        shell,
        title="Tocsin",
        dark=None,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=5.0,
    )
    return shell
