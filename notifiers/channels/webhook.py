"""Alertmanager's webhook: a POST of JSON, version 4."""

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from pydantic_core import to_json

from notifiers.channels.address import Network
from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.http import DEFAULT_TIMEOUT, Caller
from notifiers.channels.payload import payload
from notifiers.channels.resolution import Resolve, resolve
from notifiers.channels.signature import signature
from notifiers.channels.texts import Texts
from notifiers.channels.tree import filled
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.http_config import http_url
from notifiers.templating import TemplateFailed, Templates
from schemas.deliveries import Delivery


class Webhook:
    """Posts messages to one URL, which is a secret: no message, error or log line holds it."""

    def __init__(
        self,
        config: WebhookConfig,
        *,
        allow: Iterable[Network],
        now: Callable[[], float],
        directory: Path = Path(),
        resolver: Resolve = resolve,
        templates: Templates,
    ) -> None:
        self._config, self._now, self._templates = config, now, templates
        self._checked = lru_cache(maxsize=16)(http_url)
        self._caller = Caller(
            config.http,
            allow=allow,
            now=now,
            directory=directory,
            resolver=resolver,
            timeout=config.timeout / 1_000 or DEFAULT_TIMEOUT,
        )

    def send(self, message: Message) -> None:
        """Post the message; any 2xx means it was taken."""
        delivery = message.delivery
        body = self._body(delivery)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": delivery.id,
            "X-Tocsin-Delivery": delivery.id,
            "X-Tocsin-Attempt": str(delivery.attempt),
        }
        if (own := self._config.hmac) is not None:
            secret = self._caller.secret(own.secret, own.secret_file)
            headers[own.header] = signature(secret, int(self._now()), body)
        self._caller.judge(self._caller.post(self._url(delivery), body, headers, message))

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _body(self, delivery: Delivery) -> bytes:
        if self._config.payload is None:
            return to_json(payload(delivery))
        content = filled(self._config.payload, Texts(self._templates, delivery).text)
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()

    def _url(self, delivery: Delivery) -> str:
        """The URL, filled in where it is a template."""
        config = self._config
        url = self._caller.secret(config.url, config.url_file)
        try:
            return self._checked(self._templates.text(url, delivery))
        except (ValueError, TemplateFailed):
            detail = "what should be the URL is none"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None
