"""Microsoft Teams by the webhook of a workflow: an Adaptive Card, as Alertmanager sends it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.cut import cut, fitting
from notifiers.channels.http import Caller
from notifiers.channels.http_wire import Answer
from notifiers.channels.teams_config import TeamsConfig
from notifiers.channels.texts import Texts
from notifiers.channels.tree import Tree
from schemas.alerts import AlertState
from schemas.deliveries import Delivery

if TYPE_CHECKING:
    from notifiers.templating import Templates

LARGEST = 28_000
"""Bytes of a message; Teams says "28 KB"."""
LONGEST_TITLE = 1_000
_FAILED = b"Webhook message delivery failed"
"""How Teams' connectors say in an answer 200 that the message was not taken."""


class Teams:
    """Posts cards to one URL, which is a secret: no message, error or log line holds it."""

    def __init__(self, config: TeamsConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> None:
        """Post the card; any 2xx that does not say otherwise means it was taken."""
        texts = Texts(self._templates, message.delivery)
        title, text = texts.text(self._config.title), texts.text(self._config.text)
        url = self._caller.url(self._config.webhook_url, self._config.webhook_url_file)
        headers = {"Content-Type": "application/json"}
        content = encoded(title, text, message.delivery)
        answer = self._caller.post(url, content, headers, message)
        self._caller.judge(answer)
        _judge_text(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()


def encoded(title: str, text: str, delivery: Delivery) -> bytes:
    """The message as JSON of at most `LARGEST` bytes; the text is cut to fit."""
    firing = any(alert.state is AlertState.FIRING for alert in delivery.alerts)
    short = cut(title, LONGEST_TITLE)

    def whole(body: str) -> bytes:
        return json.dumps(card(short, body, firing=firing), ensure_ascii=False).encode()

    # What can fit at most, so that measuring stays cheap however long the text is.
    return whole(fitting(cut(text, LARGEST), lambda body: len(whole(body)), LARGEST))


def card(title: str, text: str, *, firing: bool) -> dict[str, Tree]:
    """The message: https://learn.microsoft.com/connectors/teams/ and adaptivecards.io, 1.2."""
    heading: dict[str, Tree] = {
        "type": "TextBlock",
        "text": title,
        "weight": "Bolder",
        "size": "Medium",
        "wrap": True,
        "style": "heading",
        "color": "Attention" if firing else "Good",
    }
    content: dict[str, Tree] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [heading, {"type": "TextBlock", "text": text, "wrap": True}],
        "msteams": {"width": "full"},
    }
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": content,
            }
        ],
    }


def _judge_text(answer: Answer) -> None:
    if _FAILED not in answer.body:
        return
    detail = f"status {answer.status}, but the message was not delivered"
    limited = b"429" in answer.body
    reason = Failure.RATE_LIMITED if limited else Failure.SERVER_ERROR
    raise DeliveryFailed(reason, retry=True, detail=detail)
