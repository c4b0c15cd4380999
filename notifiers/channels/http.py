"""Requests to receivers over HTTP: guarded, within a deadline, answers judged by their status."""

import ssl
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

import httpx

from notifiers.channels.address import Network
from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.guarded_http import AddressRefused, GuardedTransport, Resolve, resolve
from notifiers.channels.retry_after import retry_after
from notifiers.channels.tls_config import context
from notifiers.http_config import HttpConfig, http_url, is_header

MOST_READ = 64 * 1024
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: as much of its body as was read; names of headers in any case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=httpx.Headers)
    body: bytes = b""


class Caller:
    """Makes requests as an `http_config` says. May be used by several threads.

    `allow` are the networks that may be reached besides global addresses; `now` (seconds) is for
    a `Retry-After` that is a date; names of secret files are relative to `directory`; `timeout`
    (seconds) is the longest that one request may take; of an answer `most_read` bytes are kept.
    URLs are secrets: no error and no log line
    holds one. httpx's client is not used: it logs URLs.
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
        self._open = partial(GuardedTransport, tuple(allow), resolver)
        self._opening = Lock()
        self._transport: GuardedTransport | None = None

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
        request = self._request(method, url, content, headers)
        seconds = min(self._timeout, message.timeout)
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        transport = self._opened()
        transport.deadline.start(seconds)
        try:
            response = transport.handle_request(request)
            try:
                body = _drain(response, self._most_read)
            finally:
                response.close()
        except AddressRefused:
            detail = "the address is not global and not in the allow list"
            raise DeliveryFailed(Failure.ADDRESS_REFUSED, retry=False, detail=detail) from None
        except httpx.TimeoutException:
            detail = f"no answer within {seconds:g} s"
            raise DeliveryFailed(Failure.TIMED_OUT, retry=True, detail=detail) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            detail = type(fault).__name__
            raise DeliveryFailed(Failure.UNREACHABLE, retry=True, detail=detail) from None
        return Answer(response.status_code, response.headers, body)

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
        if self._transport is not None:
            self._transport.close()

    def _opened(self) -> GuardedTransport:
        """The transport, made at the first request: only then are files of certificates read."""
        with self._opening:
            if self._transport is None:
                self._transport = self._open(self._context())
            return self._transport

    def _context(self) -> ssl.SSLContext | None:
        if self._config.tls is None:
            return None
        try:
            return context(self._config.tls, "", self._directory)
        except (OSError, ValueError):
            detail = "a file of tls_config cannot be used"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None

    def _request(
        self, method: str, url: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Request:
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            detail = "not a URL"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None
        own = {"User-Agent": "Tocsin", "Accept-Encoding": "identity"}
        merged = httpx.Headers({**own, **headers, **dict(self._config.headers)})
        for name, file in self._config.header_files:
            merged[name] = self._header(file)
        if authorization := self._authorization(target):
            merged["Authorization"] = authorization
        bare = target.copy_with(userinfo=b"")
        request = httpx.Request(method, bare, headers=merged, content=content)
        if self._config.tls is not None and self._config.tls.server_name:
            request.extensions["sni_hostname"] = self._config.tls.server_name
        return request

    def _authorization(self, target: httpx.URL) -> str:
        """The header's value; empty for none, and then the channel's own counts."""
        if self._config.authorization is not None:
            kind, credentials, file = self._config.authorization
            return f"{kind} {credentials or self._header(file)}"
        if (basic := self._config.basic) is not None:
            name = self.secret(basic.username, basic.username_file)
            return _basic(name, self.secret(basic.password, basic.password_file))
        return _basic(target.username, target.password) if target.userinfo else ""

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
        wait = retry_after(answer.headers.get("Retry-After"), now)
        reason = Failure.RATE_LIMITED if status == 429 else Failure.SERVER_ERROR
        raise DeliveryFailed(reason, retry=True, retry_after=wait, detail=detail)
    if 300 <= status < 400:
        raise DeliveryFailed(Failure.REDIRECTED, retry=False, detail=detail)
    if status in (401, 403, 407):
        raise DeliveryFailed(Failure.NOT_AUTHORISED, retry=False, detail=detail)
    raise DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)


def _basic(name: str, password: str) -> str:
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


def _drain(response: httpx.Response, most: int) -> bytes:
    """Read the answer to its end, so that the connection serves again, but not for ever."""
    body = bytearray()
    for part in response.stream:  # type: ignore[union-attr]  # always a sync stream here
        body += part
        if len(body) > most:
            break
    return bytes(body[:most])
