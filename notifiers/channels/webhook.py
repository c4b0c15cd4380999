"""Alertmanager's webhook: a POST of JSON, version 4."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx

from notifiers.channels.address import Network
from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.guarded_http import AddressRefused, GuardedTransport, Resolve, resolve
from notifiers.channels.payload import payload
from notifiers.channels.retry_after import retry_after
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.http_config import http_url

MOST_READ = 64 * 1024
DEFAULT_TIMEOUT = 10.0


class Webhook:
    """Posts messages to one URL, which is a secret: no message, error or log line holds it.

    `allow` are the networks that may be reached besides global addresses; `now` (seconds) is for
    a `Retry-After` that is a date. httpx's client is not used: it logs URLs.
    """

    def __init__(
        self,
        config: WebhookConfig,
        *,
        allow: Iterable[Network],
        now: Callable[[], float],
        directory: Path = Path(),
        resolver: Resolve = resolve,
    ) -> None:
        self._config, self._now, self._directory = config, now, directory
        self._transport = GuardedTransport(allow, resolver)

    def send(self, message: Message) -> None:
        """Post the message; any 2xx means it was taken."""
        request = self._request(message)
        own = self._config.timeout / 1_000 or DEFAULT_TIMEOUT
        seconds = min(own, message.timeout)
        self._transport.deadline.start(seconds)
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        try:
            response = self._transport.handle_request(request)
            try:
                self._drain(response)
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
        self._judge(response)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _request(self, message: Message) -> httpx.Request:
        delivery = message.delivery
        url = httpx.URL(self._url())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Tocsin",
            "Accept-Encoding": "identity",
            **dict(self._config.http.headers),
            "Idempotency-Key": delivery.id,
            "X-Tocsin-Delivery": delivery.id,
            "X-Tocsin-Attempt": str(delivery.attempt),
        }
        if self._config.http.authorization is not None:
            kind, credentials, file = self._config.http.authorization
            headers["Authorization"] = f"{kind} {credentials or self._secret(file)}"
        elif url.userinfo:
            headers["Authorization"] = f"Basic {b64encode(_userinfo(url)).decode()}"
        body = json.dumps(payload(delivery), ensure_ascii=False, allow_nan=False).encode()
        return httpx.Request("POST", url.copy_with(userinfo=b""), headers=headers, content=body)

    def _url(self) -> str:
        if not self._config.url_file:
            return self._config.url
        try:
            return http_url(self._secret(self._config.url_file))
        except ValueError:
            detail = "the file of the URL does not hold one"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None

    def _secret(self, file: str) -> str:
        try:
            text = (self._directory / file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            detail = "a file with a secret cannot be read"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None
        return text.strip()

    @staticmethod
    def _drain(response: httpx.Response) -> None:
        """Read the answer to its end, so that the connection serves again, but not for ever."""
        read = 0
        for part in response.stream:  # type: ignore[union-attr]  # always a sync stream here
            read += len(part)
            if read > MOST_READ:
                return

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        detail = f"status {status}"
        if 200 <= status < 300:
            return
        if status == 429 or status >= 500:
            wait = retry_after(response.headers.get("Retry-After"), self._now())
            reason = Failure.RATE_LIMITED if status == 429 else Failure.SERVER_ERROR
            raise DeliveryFailed(reason, retry=True, retry_after=wait, detail=detail)
        if 300 <= status < 400:
            raise DeliveryFailed(Failure.REDIRECTED, retry=False, detail=detail)
        if status in (401, 403, 407):
            raise DeliveryFailed(Failure.NOT_AUTHORISED, retry=False, detail=detail)
        raise DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)


def _userinfo(url: httpx.URL) -> bytes:
    return f"{url.username}:{url.password}".encode()
