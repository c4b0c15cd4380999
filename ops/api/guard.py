"""What stands before every route: who may call, from which page, and what the answer may do."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ops.services import Access

log = logging.getLogger("tocsin.api")

PUBLISH_PATH: Final = "/api/tocsin/v1/publish"
ALERTS_PATH: Final = "/api/v2/alerts"
LOGIN_PATH: Final = "/login"
OPEN_PATHS: Final = frozenset(
    {"/health", "/liveness", "/readiness", "/-/healthy", "/-/ready", LOGIN_PATH}
)
PING_PREFIX: Final = "/ping/"
"""What stands behind it is the secret that a job shows; its body is cut, never refused."""
COOKIE: Final = "tocsin_session"
MAX_BODY: Final = 1_048_576
ALERTS_BODY: Final = 10 * MAX_BODY

_API_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Vue compiles the page's templates in the browser, hence 'unsafe-eval'; NiceGUI starts the page
# from an inline script. Nothing is loaded from anywhere but this server.
_PAGE_POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    b"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    b"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    b"object-src 'none'"
)
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_PAGE_HEADERS = (*_SECURITY_HEADERS, (b"content-security-policy", _PAGE_POLICY))
_API_HEADERS = (*_SECURITY_HEADERS, (b"content-security-policy", _API_POLICY))
_OURS = frozenset(name for name, _ in _API_HEADERS)
_NOT_KEPT = (b"cache-control", b"no-store")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

RawHeaders = Iterable[tuple[bytes, bytes]]
"""As ASGI gives them: names in lower case, values in Latin-1."""


class Guard:
    """Refuses what may not pass, and puts security headers on what goes out.

    `refused` is told the status of each POST of alerts that is refused, here or further on.
    """

    def __init__(self, app: ASGIApp, access: Access, refused: Callable[[int], None]) -> None:
        self.app = app
        self.access = access
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        refused = self._refuse(scope)
        if refused is not None:
            self._count(scope, refused[0])
            await _answer(scope, send, *refused)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    def _refuse(self, scope: Scope) -> tuple[int, str] | None:
        path = route_path(scope)
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        # Of a name that comes twice the first counts, as in Starlette's `Headers`, which looks
        # through all of them for each.
        headers = dict(reversed(raw))
        if not self._knows(raw):
            return 421, "this server does not go by that name: set external_url to it"
        if not self._same_origin(scope, path, headers):
            return 403, "another site's page may not do this"
        if path == PUBLISH_PATH or (self.access.guarded and not is_open(scope)):
            cookie = path != PUBLISH_PATH
            if not authorised(Headers(scope=scope), self.access, cookie=cookie):
                return 401, "send the header Authorization: Bearer TOKEN"
        limit = ALERTS_BODY if path == ALERTS_PATH else MAX_BODY
        bounded = path != PUBLISH_PATH and not path.startswith(PING_PREFIX)
        if bounded and _length(headers) > limit:
            return 413, f"the body is larger than {limit // MAX_BODY} MiB"
        return None

    def _count(self, scope: Scope, status: int) -> None:
        """Alerts that are not taken are never lost uncounted, whoever refuses them."""
        if scope.get("method") == "POST" and route_path(scope) == ALERTS_PATH:
            self._refused(status)

    def _knows(self, headers: RawHeaders) -> bool:
        names = [value for name, value in headers if name == b"host"]
        return not self.access.hosts or (
            len(names) == 1 and _host_name(names[0]) in self.access.hosts
        )

    def _same_origin(self, scope: Scope, path: str, headers: Mapping[bytes, bytes]) -> bool:
        live = scope["type"] == "websocket" or path.startswith("/_nicegui_ws")
        if not live and scope["method"] in _SAFE:
            return True
        if headers.get(b"sec-fetch-site") == b"cross-site":
            return False
        origin = headers.get(b"origin")
        if origin is None:
            return True
        site = origin.decode("latin-1").partition("://")[2].lower()
        host = headers.get(b"host", b"").decode("latin-1").lower()
        return site == host or site in self.access.origins

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] >= 400:
                    self._count(scope, message["status"])
                message["headers"] = list(_secured(tuple(map(tuple, message.get("headers", ())))))
            await send(message)

        try:
            await self.app(scope, receive, secured)
        except asyncio.CancelledError:
            # The server stops, and has waited for this one long enough; nobody is told twice.
            if not started:
                await _answer(scope, secured, 503, "the server stops: ask again")
        except Exception:
            path = route_path(scope)
            # What stands behind it is a secret.
            shown = PING_PREFIX if path.startswith(PING_PREFIX) else scope["path"]
            log.exception("request failed", extra={"path": shown})
            if not started:
                await _answer(scope, secured, 500, "internal error; the log has more")


def is_open(scope: Scope) -> bool:
    """Whether strangers may ask it."""
    path = route_path(scope)
    pings = path.startswith(PING_PREFIX) and scope.get("method") in {"GET", "HEAD", "POST"}
    return pings or path in OPEN_PATHS


def route_path(scope: Scope) -> str:
    """The path below the prefix under which everything is served."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def authorised(headers: Headers, access: Access, *, cookie: bool = True) -> bool:
    """Whether these headers show the token, or a browser's session made from it."""
    if access.token is None:
        return False
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and equal(given.strip(), access.token):
        return True
    if not cookie:
        return False
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return found is not None and equal(found.value, session_of(access.token))


def equal(given: str, wanted: str) -> bool:
    """Comparison whose time tells nothing."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def session_of(token: str) -> str:
    """What a browser holds instead of the token; a new token ends it."""
    return hmac.new(token.encode(), b"tocsin console", hashlib.sha256).hexdigest()


# Most answers have the same headers as one before: none but their length.
@lru_cache(maxsize=64)
def _secured(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[bytes, bytes], ...]:
    """What an answer says in its headers, with what we say about it in every answer."""
    kept = [(name.lower(), value) for name, value in headers]
    page = dict(reversed(kept)).get(b"content-type", b"").startswith(b"text/html")
    out = [one for one in kept if one[0] not in _OURS]
    out += _PAGE_HEADERS if page else _API_HEADERS
    if not any(name == b"cache-control" for name, _ in kept):
        out.append(_NOT_KEPT)
    return tuple(out)


def _length(headers: Mapping[bytes, bytes]) -> int:
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


# Clients call us by few names, and parsing one is the dearest part of the guard.
@lru_cache(maxsize=64)
def _host_name(host: bytes) -> str:
    try:
        return (urlsplit(f"//{host.decode('latin-1')}").hostname or "").rstrip(".")
    except ValueError:
        return ""


async def _answer(scope: Scope, send: Send, status: int, error: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error[:100]})
        return
    headers = [(b"content-type", b"application/json")]
    if status == 401 and "text/html" in Headers(scope=scope).get("accept", ""):
        status, error = 303, ""
        headers = [(b"location", f"{scope.get('root_path', '')}{LOGIN_PATH}".encode())]
    elif status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    headers += _SECURITY_HEADERS
    headers += [(b"connection", b"close")] if status == 413 else []
    body = json.dumps({"status": "error", "error": error}).encode() if error else b""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
