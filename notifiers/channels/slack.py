"""Slack: an attachment by an incoming webhook, or by chat.postMessage with an app's token.

slack-sdk's clients open their sockets with urllib, past the check of addresses; so its models
build and validate the attachment, and our own transport posts it.
"""

import json
import re
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.attachments import Attachment, AttachmentField

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.cut import cut
from notifiers.channels.http import Answer, Caller
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
_COLOR = re.compile(r"good|warning|danger|#[0-9A-Fa-f]{6}")
_TRANSIENT = {
    "ratelimited": Failure.RATE_LIMITED,
    "rate_limited": Failure.RATE_LIMITED,
    "message_limit_exceeded": Failure.RATE_LIMITED,
    "internal_error": Failure.SERVER_ERROR,
    "fatal_error": Failure.SERVER_ERROR,
    "service_unavailable": Failure.SERVER_ERROR,
    "request_timeout": Failure.SERVER_ERROR,
    "team_added_to_org": Failure.SERVER_ERROR,
    "rollup_error": Failure.SERVER_ERROR,
}
_NOT_AUTHORISED = frozenset(
    [
        *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        *("no_permission", "missing_scope", "not_allowed_token_type", "access_denied"),
        *("ekm_access_denied", "org_login_required", "team_access_not_granted"),
        *("invalid_token", "action_prohibited"),
    ]
)
_ERROR = re.compile(r"[a-z_]{1,60}")


class Slack:
    """Posts messages; URL and token are secrets: no message, error or log line holds one."""

    def __init__(self, config: SlackConfig, caller: Caller, templates: Templates) -> None:
        self._config, self._caller, self._templates = config, caller, templates

    def send(self, message: Message) -> None:
        """Post the message; `ok` means it was taken."""
        body = request(self._config, Texts(self._templates, message.delivery))
        content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        url = self._caller.url(self._config.url, self._config.url_file)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = self._caller.post(url, content, headers, message)
        self._caller.judge(answer)
        _judge_body(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._caller.close()


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


def _judge_body(answer: Answer) -> None:
    """A 200 may say no: `{"ok": false, "error": …}`; a webhook says `ok`, or what was wrong."""
    text = answer.body.decode("utf-8", "replace").strip()
    if text == "ok":
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = {"ok": False, "error": text}
    if isinstance(found, dict) and found.get("ok") is True:
        return
    error = found.get("error") if isinstance(found, dict) else None
    raise _failure(error if isinstance(error, str) and _ERROR.fullmatch(error) else "no answer")


def _failure(error: str) -> DeliveryFailed:
    """Slack's error, which is a word and no secret."""
    if error in _TRANSIENT:
        return DeliveryFailed(_TRANSIENT[error], retry=True, detail=error)
    reason = Failure.NOT_AUTHORISED if error in _NOT_AUTHORISED else Failure.REJECTED
    return DeliveryFailed(reason, retry=False, detail=error)
