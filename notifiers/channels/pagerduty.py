"""PagerDuty by its Events API v2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.cut import quoted
from notifiers.channels.http import Caller
from notifiers.channels.http_wire import Answer
from notifiers.channels.pagerduty_config import PagerDutyConfig
from notifiers.channels.pagerduty_event import change, encoded, event, is_change
from notifiers.channels.texts import Texts

if TYPE_CHECKING:
    from notifiers.templating import Templates


class PagerDuty:
    """Triggers, acknowledges and resolves one alert of PagerDuty's for each group.

    Sending twice does no harm: PagerDuty knows the alert by its `dedup_key`.
    """

    def __init__(self, config: PagerDutyConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> None:
        """Post the event; 202 means it was taken."""
        config, texts = self._config, Texts(self._templates, message.delivery)
        key = self._key(texts)
        is_quiet = is_change(message.delivery)
        made = (change if is_quiet else event)(config, key, message.delivery, texts.text)
        url = config.url
        if is_quiet:
            url = url.removesuffix("/enqueue") + "/change/enqueue"
        headers = {"Content-Type": "application/json"}
        answer = self._caller.post(url, encoded(made), headers, message)
        if answer.status == 400:
            detail = quoted(f"status 400{_why(answer)}", key)
            raise DeliveryFailed(Failure.REJECTED, retry=False, detail=detail)
        self._caller.judge(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _key(self, texts: Texts) -> str:
        config = self._config
        template = self._caller.secret(config.routing_key, config.routing_key_file)
        try:
            key = texts.text(template).strip()
        except DeliveryFailed:
            # The template's own message may quote it.
            key = ""
        if not key:
            detail = "the routing key is empty, or its template cannot be filled in"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail)
        return key


def _why(answer: Answer) -> str:
    """What PagerDuty says is wrong with an event: `message` and `errors`."""
    try:
        found = json.loads(answer.body)
        errors = [str(one) for one in found.get("errors") or ()]
        return f": {found['message']}: {', '.join(errors)}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
