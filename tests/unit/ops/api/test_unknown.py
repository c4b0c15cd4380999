"""Paths and methods that there are not: programs are answered in JSON, as ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from ops.api.app import build
from ops.api.serve import Server, bind
from tests.support.fake_services import FakeServices
from tests.unit.ops.api.asking import OPEN, ask

OURS = "/api/tocsin/v1"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path", ["/api/tocsin", f"{OURS}/", f"{OURS}/nope", f"{OURS}/windows/a/b/c", "/api/x", "/-/x"]
)
def test_an_unknown_path_is_said_in_json(method: str, path: str) -> None:
    answer = ask(method, path, headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert answer.json()["status"] == "error"
    assert path in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/alerts", "GET"),
        ("PUT", "/windows", "GET, POST"),
        ("PATCH", "/windows/w", "DELETE, GET, PUT"),
        ("PUT", "/oncall/overrides/o", "DELETE, GET"),
        ("GET", "/incidents/i/acknowledge", "POST"),
        ("POST", "/heartbeats", "GET"),
        ("GET", "/publish", "POST"),
    ],
)
def test_a_known_path_says_which_methods_it_takes(method: str, path: str, allowed: str) -> None:
    answer = ask(method, OURS + path, headers={"authorization": "Bearer 0123456789abcdef"})
    assert (answer.status_code, answer.headers.get("allow")) == (405, allowed)
    assert answer.json() == {"status": "error", "error": f"only {allowed} here"}


def test_so_it_is_beside_a_console_which_has_all_other_pages() -> None:
    @asynccontextmanager
    async def page() -> AsyncIterator[ASGIApp]:
        yield HTMLResponse("a page", 418)

    server = Server(build(FakeServices(), OPEN, page), bind("127.0.0.1", 0))
    server.start()

    def asked(method: str, path: str) -> httpx.Response:
        return httpx.request(method, f"http://{server.address}{path}", trust_env=False)

    try:
        while asked("GET", "/").status_code != 418:
            pass
        assert asked("GET", "/incidents/x").text == "a page"
        assert asked("GET", f"{OURS}/nope").json()["status"] == "error"
        assert asked("PUT", f"{OURS}/alerts").headers["allow"] == "GET"
        assert asked("GET", "/-/reload").headers["allow"] == "POST"
    finally:
        server.stop()
