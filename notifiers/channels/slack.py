"""Slack: an attachment by an incoming webhook, or by chat.postMessage with an app's token.

slack-sdk's clients open their sockets with urllib, past the check of addresses; so its models
build and validate the attachment, and our own transport posts it.
"""

import json
import re
from dataclasses import replace
from time import monotonic
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.attachments import Attachment, AttachmentField

from notifiers.channels import slack_incident
from notifiers.channels.channel import DeliveryFailed, Failure, Message, Sent
from notifiers.channels.cut import cut
from notifiers.channels.http import Caller
from notifiers.channels.slack_answer import understood
from notifiers.channels.slack_config import SlackAction, SlackConfig
from notifiers.channels.texts import Texts
from notifiers.templating import Templates

LIMITS = {
    "message_text": 4_000,
    "title": 1_024,
    "pretext": 3_000,
    "text": 8_000,
    "fallback": 1_000,
    "footer": 300,
    "username": 80,
}
"""Characters that Slack shows; it cuts, splits or refuses what is longer."""
LONGEST, MOST_FIELDS, MOST_ACTIONS, LONGEST_VALUE = 2_000, 20, 5, 2_000
SHORTEST = 0.1
"""Seconds that a second request has at least."""
_COLOR = re.compile(r"good|warning|danger|#[0-9A-Fa-f]{6}")


class Slack:
    """Posts messages; URL and token are secrets: no message, error or log line holds one."""

    def __init__(self, config: SlackConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> Sent | None:
        """Post the message, or write the incident's one anew; `ok` means it was taken."""
        config, delivery = self._config, message.delivery
        body = request(config, Texts(self._templates, delivery))
        if config.buttons and (made := slack_incident.buttons(delivery)) is not None:
            body["attachments"].append(made)
        ends = monotonic() + message.timeout

        def ask(method: str, body: dict[str, Any]) -> dict[str, Any]:
            left = max(ends - monotonic(), SHORTEST)
            return self._ask(method, body, replace(message, timeout=left))

        if config.update:
            return slack_incident.keep(body, delivery, ask, thread=config.thread)
        ask("", body)
        return None

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()

    def _ask(self, method: str, body: dict[str, Any], message: Message) -> dict[str, Any]:
        """Slack's answer to one request; `method` takes the place of the URL's last part."""
        content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        url = self._caller.url(self._config.url, self._config.url_file)
        if method:
            url = url.removesuffix(slack_incident.POST) + method
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = self._caller.post(url, content, headers, message)
        self._caller.judge(answer)
        return understood(answer)


def request(config: SlackConfig, texts: Texts) -> dict[str, Any]:
    """The message as Slack's API wants it (`Any`: it is JSON), cut to Slack's limits.

    Raises DeliveryFailed.
    """
    filled = {
        key: cut(texts.text(template), LIMITS.get(key, LONGEST))
        for key, template in config.texts.items()
    }
    try:
        attachment = _attachment(config, texts, filled)
    except SlackObjectFormationError as fault:
        detail = f"not an attachment: {fault}"[:200]
        raise DeliveryFailed(Failure.MISCONFIGURED, retry=False, detail=detail) from None
    body: dict[str, Any] = {
        "channel": filled.get("channel", ""),
        "username": filled.get("username", ""),
        "icon_emoji": filled.get("icon_emoji", ""),
        "icon_url": filled.get("icon_url", ""),
        "text": filled.get("message_text", ""),
        "link_names": config.link_names,
    }
    return {key: value for key, value in body.items() if value} | {"attachments": [attachment]}


def _attachment(config: SlackConfig, texts: Texts, filled: dict[str, str]) -> dict[str, Any]:
    def said(key: str) -> str | None:
        return filled.get(key) or None

    color = said("color")
    markdown = config.markdown_in or ("pretext", "text")
    made = Attachment(
        text=filled.get("text", ""),
        fallback=said("fallback"),
        title=said("title"),
        title_link=said("title_link"),
        pretext=said("pretext"),
        # A colour that is none must not keep a page from being sent.
        color=color if color and _COLOR.fullmatch(color) else None,
        image_url=said("image_url"),
        thumb_url=None if said("image_url") else said("thumb_url"),
        footer=said("footer"),
        markdown_in=[one for one in markdown if one in Attachment.MarkdownFields],
        fields=[
            AttachmentField(
                title=cut(texts.text(one.title), LONGEST),
                value=cut(texts.text(one.value), LONGEST),
                short=one.short,
            )
            for one in config.fields[:MOST_FIELDS]
        ],
    )
    whole: dict[str, Any] = made.to_dict()
    # Slack wants both, even where there is nothing to say.
    whole |= {"text": filled.get("text", ""), "fallback": filled.get("fallback", "")}
    if said("callback_id"):
        whole["callback_id"] = filled["callback_id"]
    if config.actions:
        whole["actions"] = [_action(one, texts) for one in config.actions[:MOST_ACTIONS]]
    return whole


def _action(action: SlackAction, texts: Texts) -> dict[str, Any]:
    filled = {key: cut(texts.text(text), LONGEST_VALUE) for key, text in action.texts.items()}
    whole: dict[str, Any] = {key: text for key, text in filled.items() if text}
    if action.confirm:
        whole["confirm"] = {key: texts.text(text) for key, text in action.confirm.items()}
    return whole
