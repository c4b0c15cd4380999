import asyncio

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from ops.api.guard import Guard
from ops.services import Access
from tests.support.fake_services import FakeServices
from tests.unit.ops.api.asking import BEARER, GUARDED, OPEN, TOKEN, ask

ROUTES = (
    ("GET", "/metrics"),
    ("GET", "/api/v1/query?query=up"),
    ("POST", "/api/v1/query"),
    ("GET", "/api/v1/query_range"),
    ("GET", "/api/v1/alerts"),
    ("GET", "/api/tocsin/v1/alerts"),
    ("GET", "/api/tocsin/v1/status"),
    ("GET", "/api/tocsin/v1/windows"),
    ("POST", "/api/tocsin/v1/windows"),
    ("POST", "/api/tocsin/v1/windows/preview"),
    ("GET", "/api/tocsin/v1/windows/w"),
    ("PUT", "/api/tocsin/v1/windows/w"),
    ("DELETE", "/api/tocsin/v1/windows/w"),
    ("POST", "/api/tocsin/v1/windows/w/start"),
    ("POST", "/api/tocsin/v1/windows/w/finish"),
    ("POST", "/api/tocsin/v1/deploys/start"),
    ("POST", "/api/tocsin/v1/deploys/finish"),
    ("GET", "/api/tocsin/v1/silences"),
    ("POST", "/api/tocsin/v1/silences"),
    ("DELETE", "/api/tocsin/v1/silences/s"),
    ("GET", "/api/tocsin/v1/incidents"),
    ("GET", "/api/tocsin/v1/incidents/statistics"),
    ("GET", "/api/tocsin/v1/incidents/i"),
    ("GET", "/api/tocsin/v1/incidents/i/export"),
    ("POST", "/api/tocsin/v1/incidents/i/acknowledge"),
    ("POST", "/api/tocsin/v1/publish"),
    ("GET", "/api/tocsin/v1/heartbeats"),
    ("POST", "/api/tocsin/v1/drills"),
    ("GET", "/api/tocsin/v1/drills/x"),
    ("GET", "/api/tocsin/v1/dead-letters"),
    ("GET", "/api/tocsin/v1/dead-letters/1"),
    ("POST", "/api/tocsin/v1/dead-letters/1/resend"),
    ("GET", "/ping"),
    ("PUT", "/ping/x"),
    ("POST", "/-/reload"),
    ("GET", "/openapi.json"),
    ("GET", "/"),
    ("GET", "/anything/else"),
)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_guarded_server_tells_a_stranger_nothing(method: str, path: str) -> None:
    assert ask(method, path, access=GUARDED).status_code == 401
    wrong = {"authorization": "Bearer 0123456789abcdeX"}
    assert ask(method, path, access=GUARDED, headers=wrong).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/liveness", "/readiness", "/-/healthy", "/-/ready"])
def test_probes_need_no_token(path: str) -> None:
    assert ask("GET", path, access=GUARDED).status_code == 200


def test_the_token_opens_a_guarded_server() -> None:
    assert ask("GET", "/api/v1/alerts", access=GUARDED, headers=BEARER).status_code == 200


def test_without_any_token_the_agents_door_is_shut() -> None:
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer None"}):
        answer = ask("POST", "/api/tocsin/v1/publish", access=Access(None), headers=headers)
        assert answer.status_code == 401


def test_a_browser_is_led_to_the_login_page() -> None:
    answer = ask("GET", "/", access=GUARDED, headers={"accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_login_gives_a_cookie_that_is_not_the_token_and_opens_the_server() -> None:
    assert ask("POST", "/login", access=GUARDED, data={"token": "wrong"}).status_code == 401
    answer = ask("POST", "/login", access=GUARDED, data={"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 303
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    session = {"cookie": cookie.split(";")[0]}
    assert ask("GET", "/api/v1/alerts", access=GUARDED, headers=session).status_code == 200
    # Agents show the token itself: a browser's cookie may not publish.
    door = "/api/tocsin/v1/publish"
    assert ask("POST", door, access=GUARDED, headers=session).status_code == 401


@pytest.mark.parametrize(
    "base",
    ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "http://LOCALHOST"],
)
def test_a_loopback_server_goes_by_the_names_of_this_machine(base: str) -> None:
    assert ask("GET", "/liveness", base=base).status_code == 200


@pytest.mark.parametrize(
    "base", ["http://evil.example:8080", "http://127.0.0.1.evil.example", "http://0.0.0.0:8080"]
)
def test_a_loopback_server_refuses_other_names(base: str) -> None:
    assert ask("GET", "/api/v1/alerts", base=base).status_code == 421


def test_a_name_that_was_configured_is_known() -> None:
    access = Access(TOKEN, hosts=OPEN.hosts | {"tocsin.example"})
    assert ask("GET", "/liveness", access=access, base="http://tocsin.example").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://[broken"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_another_sites_page_changes_nothing(headers: dict[str, str]) -> None:
    assert ask("POST", "/-/reload", headers=headers).status_code == 403
    assert ask("GET", "/_nicegui_ws/socket.io/", headers=headers).status_code == 403


def test_our_own_page_and_a_program_may_change_things() -> None:
    own = {"origin": "http://127.0.0.1:8080"}
    assert ask("POST", "/-/reload", headers=own).status_code == 200
    assert ask("POST", "/-/reload").status_code == 200


def test_every_answer_carries_security_headers() -> None:
    for path in ("/", "/liveness", "/nothing"):
        headers = ask("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in ask("GET", "/liveness").headers["content-security-policy"]


async def _own_headers(scope: Scope, receive: Receive, send: Send) -> None:
    headers = [
        (b"Content-Type", b"text/html; charset=utf-8"),
        (b"Cache-Control", b"max-age=60"),
        (b"X-Frame-Options", b"ALLOWALL"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def test_an_answers_own_headers_stay_but_for_those_that_are_ours() -> None:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(_own_headers, OPEN, lambda _: None))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/")

    headers = asyncio.run(go()).headers
    assert headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers.get_list("cache-control") == ["max-age=60"]
    assert headers.get_list("content-type") == ["text/html; charset=utf-8"]
    assert "script-src 'self'" in headers["content-security-policy"]


def test_two_names_in_one_request_are_one_too_many() -> None:
    for names in (["127.0.0.1", "127.0.0.1"], ["127.0.0.1", "evil.example"], []):
        assert _status([("host", name) for name in names]) == 421
    assert _status([("host", "127.0.0.1")]) == 200
    assert _status([("host", "evil.example")]) == 421


def _status(headers: list[tuple[str, str]]) -> int:
    """What the guard says to these very headers."""
    said: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": "POST", "path": "/x", "headers": raw}
    asyncio.run(Guard(_own_headers, OPEN, lambda _: None)(scope, receive, send))
    return said[0]


def test_a_body_above_its_limit_is_refused_before_it_is_read() -> None:
    headers = {"content-length": str(2**21)}
    assert ask("POST", "/api/v1/query", headers=headers, content=b"").status_code == 413


def test_a_failure_inside_is_a_plain_500_that_tells_no_details(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeServices):
        def alerts(self) -> list[object]:  # type: ignore[override]  # it never returns
            raise RuntimeError("secret detail")

    answer = ask("GET", "/api/v1/alerts", Broken())
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["status"] == "error"
    assert "request failed" in caplog.text


def test_the_page_says_that_it_is_starting_until_the_console_has_come() -> None:
    answer = ask("GET", "/")
    assert answer.status_code == 200
    assert "starting" in answer.text
    assert 'http-equiv="refresh"' in answer.text
