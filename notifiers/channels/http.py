"""Requests to receivers over HTTP: guarded, within a deadline, answers judged by their status."""

import ssl
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path
from threading import Lock

import httpx

from notifiers.channels.address import Network
from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.guarded_http import Connections, Target
from notifiers.channels.http_wire import Answer
from notifiers.channels.resolution import Resolve, resolve
from notifiers.channels.retry_after import retry_after
from notifiers.channels.tls_config import context
from notifiers.http_config import HttpConfig, http_url, is_header

MOST_READ = 64 * 1024
DEFAULT_TIMEOUT = 10.0
_OWN = (("User-Agent", "Tocsin"), ("Accept-Encoding", "identity"))


class Caller:
    """Makes requests as an `http_config` says. May be used by several threads.

    `allow` are the networks that may be reached besides global addresses; `now` (seconds) is for
    a `Retry-After` that is a date; names of secret files are relative to `directory`; `timeout`
    (seconds) is the longest that one request may take; of an answer `most_read` bytes are kept.
    URLs are secrets: no error and no log line
    holds one.
    """

    def __init__(
        self,
        config: HttpConfig,
        *,
        allow: Iterable[Network],
        now: Callable[[], float],
        directory: Path = Path(),
        resolver: Resolve = resolve,
        timeout: float = DEFAULT_TIMEOUT,
        most_read: int = MOST_READ,
    ) -> None:
        self._config, self._now, self._directory = config, now, directory
        self._timeout, self._most_read = timeout, most_read
        self._trust: ssl.SSLContext | None = None
        self._trusting = Lock()
        name = "" if config.tls is None else config.tls.server_name
        self._connections = Connections(allow, resolver, self._trusted, name)
        self._parsed = lru_cache(maxsize=16)(_parsed)

    def post(
        self, url: str, content: bytes, headers: Mapping[str, str], message: Message
    ) -> Answer:
        """`call` with POST."""
        return self.call("POST", url, content, headers, message)

    def call(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str], message: Message
    ) -> Answer:
        """One request within the message's seconds; the answer, whatever its status.

        Headers of the `http_config` come over `headers`. Raises DeliveryFailed when there is no
        answer.
        """
        target, user = self._parsed(url)
        merged = self._headers(headers, user)
        seconds = min(self._timeout, message.timeout)
        try:
            return self._connections.exchange(
                method, target, merged, content, seconds, self._most_read
            )
        except TimeoutError:
            detail = f"no answer within {seconds:g} s"
            raise DeliveryFailed(Failure.TIMED_OUT, retry=True, detail=detail) from None
        except (HTTPException, OSError, ValueError) as fault:
            detail = type(fault).__name__
            raise DeliveryFailed(Failure.UNREACHABLE, retry=True, detail=detail) from None

    def judge(self, answer: Answer) -> None:
        """`judge` by this caller's clock."""
        judge(answer, self._now())

    def secret(self, value: str, file: str) -> str:
        """The value, or what the file holds at this moment. Raises DeliveryFailed."""
        if not file:
            return value
        try:
            text = (self._directory / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            detail = "a file with a secret cannot be read"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None
        return text.strip()

    def url(self, value: str, file: str) -> str:
        """A URL that may stand in a file. Raises DeliveryFailed."""
        if not file:
            return value
        try:
            return http_url(self.secret("", file))
        except ValueError:
            detail = "the file of the URL does not hold one"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None

    def close(self) -> None:
        """Close idle connections."""
        self._connections.close()

    def _trusted(self) -> ssl.SSLContext:
        """Made for the first request over TLS: only then are files of certificates read."""
        with self._trusting:
            if self._trust is None:
                self._trust = self._context()
                self._trust.set_alpn_protocols(["http/1.1"])
            return self._trust

    def _context(self) -> ssl.SSLContext:
        if self._config.tls is None:
            return httpx.create_ssl_context(trust_env=False)
        try:
            return context(self._config.tls, "", self._directory)
        except (OSError, ValueError):
            detail = "a file of tls_config cannot be used"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None

    def _headers(self, headers: Mapping[str, str], user: tuple[str, str] | None) -> dict[str, str]:
        """One of each name, whatever its case; the last that is given counts."""
        merged: dict[str, tuple[str, str]] = {}
        for source in (_OWN, headers.items(), self._config.headers):
            merged.update((name.lower(), (name, value)) for name, value in source)
        for name, file in self._config.header_files:
            merged[name.lower()] = (name, self._header(file))
        if authorization := self._authorization(user):
            merged["authorization"] = ("Authorization", authorization)
        return dict(merged.values())

    def _authorization(self, user: tuple[str, str] | None) -> str:
        """The header's value; empty for none, and then the channel's own counts."""
        if self._config.authorization is not None:
            kind, credentials, file = self._config.authorization
            return f"{kind} {credentials or self._header(file)}"
        if (basic := self._config.basic) is not None:
            name = self.secret(basic.username, basic.username_file)
            return _basic(name, self.secret(basic.password, basic.password_file))
        return "" if user is None else _basic(*user)

    def _header(self, file: str) -> str:
        value = self.secret("", file)
        if not is_header(value):
            detail = "a file does not hold a header's value"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail)
        return value


def judge(answer: Answer, now: float) -> None:
    """Nothing for a 2xx; else raises DeliveryFailed, which says whether to try again and when."""
    status = answer.status
    detail = f"status {status}"
    if 200 <= status < 300:
        return
    if status == 429 or status >= 500:
        wait = retry_after(answer.headers.get("retry-after"), now)
        reason = Failure.RATE_LIMITED if status == 429 else Failure.SERVER_ERROR
        raise DeliveryFailed(reason, retry=True, retry_after=wait, detail=detail)
    if 300 <= status < 400:
        raise DeliveryFailed(Failure.REDIRECTED, retry=False, detail=detail)
    if status in (401, 403, 407):
        raise DeliveryFailed(Failure.NOT_AUTHORISED, retry=False, detail=detail)
    raise DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)


def _basic(name: str, password: str) -> str:
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def _parsed(url: str) -> tuple[Target, tuple[str, str] | None]:
    """Where it leads, and the name and password that stand in it. Raises DeliveryFailed."""
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        found = httpx.URL()
    if found.scheme not in ("http", "https") or not found.host:
        detail = "not a URL"
        raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail)
    secure = found.scheme == "https"
    port = found.port or (443 if secure else 80)
    target = Target(secure, found.raw_host.decode(), port, found.raw_path.decode())
    return target, (found.username, found.password) if found.userinfo else None
