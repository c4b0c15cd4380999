"""The door to another machine's log over HTTP: `tocsin agent --server URL --token-file F`."""

import json
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import ormsgpack

from collectors.retry import Throttled
from schemas.errors import LogAway, Refused, TooLarge
from schemas.stage import Message, Partition, Position

log = logging.getLogger(__name__)

PATH = "/api/tocsin/v1/publish"
MOST_ANSWER = 4 * 1024 * 1024
LONGEST_WAIT = 300.0
"""Seconds: a `Retry-After` that asks for more is not believed."""


class HttpPublish:
    """`Publish` over HTTP, with a token.

    `token` is asked again after the server did not accept it, so that a new token in a file takes
    effect without a restart. One thread uses it at a time.
    """

    def __init__(
        self,
        server: str,
        token: Callable[[], str],
        *,
        ca_file: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refused(f"server {server!r}: write a URL such as https://tocsin.example.org")
        self._url = server.rstrip("/") + PATH
        self._token = token
        self._header: dict[str, str] = {}
        trusted = ssl.create_default_context(cafile=str(ca_file)) if ca_file else True
        self._client = httpx.Client(verify=trusted, trust_env=False, transport=transport)

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        """Append in order; see `schemas.stage.Publish`."""
        if not messages:
            return []
        body = ormsgpack.packb([[each.topic, each.key, each.value] for each in messages])
        try:
            status, headers, answer = self._post(body, timeout)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            raise LogAway(f"{self._url}: {fault or type(fault).__name__}") from fault
        if status == 200:
            return self._positions(answer, len(messages))
        raise self._fault(status, headers, answer)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _post(self, body: bytes, timeout: float) -> tuple[int, httpx.Headers, bytes]:
        """One request. `timeout` is for the whole: a server that drips its answer is away."""
        until = time.monotonic() + timeout
        headers = {"Content-Type": "application/msgpack", **self._authorization()}
        answer = b""
        with self._client.stream(
            "POST", self._url, content=body, headers=headers, timeout=timeout
        ) as response:
            for chunk in response.iter_bytes():
                answer += chunk
                if len(answer) > MOST_ANSWER or time.monotonic() > until:
                    raise LogAway(f"{self._url}: the answer is too long or too slow")
            return response.status_code, response.headers, answer

    def _authorization(self) -> dict[str, str]:
        if not self._header:
            try:
                token = self._token().strip()
            except OSError as fault:
                raise LogAway(f"the token cannot be read: {fault}") from fault
            if not token.isascii() or not token.isprintable():
                raise LogAway("the token is not one line of ASCII")
            self._header = {"Authorization": f"Bearer {token}"}
        return self._header

    def _positions(self, answer: bytes, count: int) -> list[Position]:
        try:
            positions = [
                Position(Partition(str(topic), int(number)), int(offset), int(at))
                for topic, number, offset, at in json.loads(answer)["positions"]
            ]
        except (ValueError, TypeError, KeyError) as fault:
            # A captive portal answers 200 too.
            raise LogAway(f"{self._url}: the answer is not a tocsin server's") from fault
        if len(positions) != count:
            raise LogAway(f"{self._url}: {len(positions)} of {count} messages were answered")
        return positions

    def _fault(self, status: int, headers: httpx.Headers, answer: bytes) -> Exception:
        said = answer[:300].decode("utf-8", "replace")
        where = f"{self._url}: HTTP {status}"
        if status in (401, 403):
            self._header = {}
            return LogAway(f"{where}: the server does not accept the token: {said}")
        if status == 413:
            return TooLarge(f"{where}: {said}")
        if status in (400, 422):
            return Refused(f"{where}: {said}")
        wait = headers.get("Retry-After", "")
        if wait.isdecimal() and len(wait) < 9:
            return Throttled(f"{where}: {said}", min(float(wait), LONGEST_WAIT))
        # A 404 or a redirect is a wrong URL, which somebody will mend; nothing is lost meanwhile.
        return LogAway(f"{where}: {said}")
