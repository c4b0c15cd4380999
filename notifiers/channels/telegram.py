"""Telegram by its Bot API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.cut import quoted
from notifiers.channels.http import Caller
from notifiers.channels.http_wire import Answer
from notifiers.channels.retry_after import LONGEST as LONGEST_WAIT
from notifiers.channels.telegram_config import TelegramConfig, chat_number
from notifiers.channels.telegram_text import cut_html, cut_plain
from notifiers.channels.texts import Texts
from schemas.deliveries import Delivery

if TYPE_CHECKING:
    from notifiers.templating import Templates

_TOKEN = re.compile(r"[0-9A-Za-z:_-]+")


class Telegram:
    """Writes to one chat. The bot's token is part of the URL; no error and no log line holds it.

    A message that Telegram refuses for its markup is sent again at once as plain text: labels may
    hold what Markdown cannot, and a page must arrive. Telegram knows no idempotency key, so an
    answer that is lost on its way makes a message come twice.
    """

    def __init__(self, config: TelegramConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> None:
        """Post the message; `ok` in the answer means it was taken."""
        mode = self._config.parse_mode
        answer = self._post(message, self._text(message.delivery, mode), mode)
        if mode and answer.status == 400 and b"can't parse" in answer.body:
            answer = self._post(message, self._text(message.delivery, ""), "")
        self._judge(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _text(self, delivery: Delivery, mode: str) -> str:
        texts, template = Texts(self._templates, delivery), self._config.message
        if mode == "HTML":
            return cut_html(texts.html(template).strip())
        return cut_plain(texts.text(template).strip())

    def _post(self, message: Message, text: str, mode: str) -> Answer:
        fields: dict[str, object] = {
            "chat_id": self._chat(),
            "text": text,
            "disable_notification": self._config.disable_notifications,
            "disable_web_page_preview": True,
        }
        if mode:
            fields["parse_mode"] = mode
        if self._config.message_thread_id:
            fields["message_thread_id"] = self._config.message_thread_id
        url = f"{self._config.api_url.rstrip('/')}/bot{self._token()}/sendMessage"
        content = json.dumps(fields, ensure_ascii=False).encode()
        return self._caller.post(url, content, {"Content-Type": "application/json"}, message)

    def _token(self) -> str:
        token = self._caller.secret(self._config.bot_token, self._config.bot_token_file)
        if not _TOKEN.fullmatch(token):
            detail = "the bot's token is not one"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail)
        return token

    def _chat(self) -> int:
        if not self._config.chat_id_file:
            return self._config.chat_id
        try:
            return chat_number(self._caller.secret("", self._config.chat_id_file))
        except ValueError:
            detail = "the file of the chat's id does not hold one"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None

    def _judge(self, answer: Answer) -> None:
        """By status, and by what Telegram says in JSON: `ok`, `description`, `parameters`."""
        try:
            self._caller.judge(answer)
        except DeliveryFailed as fault:
            said = _said(answer)
            wait = fault.retry_after if fault.retry_after is not None else _wait(said)
            detail = f"{fault.detail}{self._description(said)}"
            raise DeliveryFailed(
                fault.reason, retry=fault.retry, retry_after=wait, detail=detail
            ) from None
        if (said := _said(answer)).get("ok") is False:
            detail = f"status {answer.status}{self._description(said)}"
            raise DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)

    def _description(self, said: dict[str, object]) -> str:
        text = said.get("description")
        if not isinstance(text, str):
            return ""
        return quoted(f": {text}", self._token())


def _said(answer: Answer) -> dict[str, object]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wait(said: dict[str, object]) -> float | None:
    parameters = said.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return min(max(float(seconds), 0.0), LONGEST_WAIT)
