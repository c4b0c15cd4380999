"""Alertmanager's webhook: a POST of JSON, version 4."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from notifiers.channels.address import Network
from notifiers.channels.channel import Message
from notifiers.channels.guarded_http import Resolve, resolve
from notifiers.channels.http import DEFAULT_TIMEOUT, Caller
from notifiers.channels.payload import payload
from notifiers.channels.webhook_config import WebhookConfig


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
    ) -> None:
        self._config = config
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
        body = json.dumps(payload(delivery), ensure_ascii=False, allow_nan=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": delivery.id,
            "X-Tocsin-Delivery": delivery.id,
            "X-Tocsin-Attempt": str(delivery.attempt),
        }
        url = self._caller.url(self._config.url, self._config.url_file)
        self._caller.judge(self._caller.post(url, body, headers, message))

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()
