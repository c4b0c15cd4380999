"""Text messages by Twilio's Messages resource, or a service that speaks like it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from notifiers.channels.channel import DeliveryFailed, Message, Sent
from notifiers.channels.http import Caller
from notifiers.channels.http_wire import Answer
from notifiers.channels.sms_config import SmsConfig
from notifiers.channels.sms_text import short_message
from notifiers.channels.texts import Texts

if TYPE_CHECKING:
    from notifiers.templating import Templates

REMEMBERED = 1_000
"""Deliveries whose recipients are kept in mind."""


class Sms:
    """Writes the same text to each recipient.

    Who was reached is remembered by the delivery's id, so neither a further try nor a further
    attempt of the same delivery writes to them again, as long as the process lives. After a
    restart, or when an answer was lost on its way, a recipient may get a message twice: Twilio
    knows no idempotency key.

    One recipient who fails does not keep the others from being written to. The delivery is tried
    again while that may reach more of them; who is refused for good (a wrong number) is named by
    place in the receipt, unless nobody was reached: then the delivery is refused.
    """

    def __init__(self, config: SmsConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates
        self._reached: OrderedDict[str, set[str]] = OrderedDict()
        self._lock = Lock()

    def send(self, message: Message) -> Sent | None:
        """Write to everybody who was not reached yet; raises DeliveryFailed if not all are."""
        text = self._text(message)
        headers = self._headers()
        reached = self._remembered(message.delivery.id)
        failures: dict[int, DeliveryFailed] = {}
        for place, number in enumerate(self._config.to, 1):
            if number in reached:
                continue
            try:
                self._write(number, text, headers, message)
            except DeliveryFailed as fault:
                failures[place] = fault
            else:
                reached.add(number)
        if not failures:
            return None
        if not reached or any(fault.retry for fault in failures.values()):
            raise _together(list(failures.values()), len(self._config.to))
        told = ", ".join(f"number {place} ({fault.detail})" for place, fault in failures.items())
        return Sent(f"taken for {len(reached)} of {len(self._config.to)} numbers; refused: {told}")

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _text(self, message: Message) -> str:
        text = Texts(self._templates, message.delivery).text(self._config.text)
        # An empty text would be refused, and a page must arrive.
        return short_message(text.strip() or message.delivery.group_key, self._config.max_segments)

    def _headers(self) -> dict[str, str]:
        token = self._caller.secret(self._config.auth_token, self._config.auth_token_file)
        user = f"{self._config.account_sid}:{token}".encode()
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"Basic {b64encode(user).decode()}",
        }

    def _remembered(self, delivery: str) -> set[str]:
        with self._lock:
            reached = self._reached.setdefault(delivery, set())
            self._reached.move_to_end(delivery)
            while len(self._reached) > REMEMBERED:
                self._reached.popitem(last=False)
        return reached

    def _write(self, number: str, text: str, headers: dict[str, str], message: Message) -> None:
        sender = self._config.sender
        is_service = sender.startswith("MG") and len(sender) == 34
        fields = {
            "To": number,
            "MessagingServiceSid" if is_service else "From": sender,
            "Body": text,
        }
        base = self._config.api_url.rstrip("/")
        url = f"{base}/2010-04-01/Accounts/{self._config.account_sid}/Messages.json"
        answer = self._caller.post(url, urlencode(fields).encode(), headers, message)
        try:
            self._caller.judge(answer)
        except DeliveryFailed as fault:
            raise DeliveryFailed(
                fault.reason,
                retry=fault.retry,
                retry_after=fault.retry_after,
                detail=f"{fault.detail}{_code(answer)}",
            ) from None


def _together(failures: list[DeliveryFailed], recipients: int) -> DeliveryFailed:
    """One failure for all: the first that is worth another try, with the longest wait."""
    first = next((fault for fault in failures if fault.retry), failures[0])
    waits = [fault.retry_after for fault in failures if fault.retry_after is not None]
    detail = first.detail
    if recipients > 1:
        detail = f"{len(failures)} of {recipients} recipients not reached: {detail}"
    return DeliveryFailed(
        first.reason, retry=first.retry, retry_after=max(waits, default=None), detail=detail
    )


def _code(answer: Answer) -> str:
    """Twilio's error code; its words may quote the number, and are left out."""
    try:
        code = json.loads(answer.body).get("code")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f", code {code}" if isinstance(code, int) and 0 < code < 10**6 else ""
