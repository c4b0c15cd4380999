"""What Slack refuses in a message, as its documentation of messages and attachments says."""

import json
from typing import Any

import jsonschema

_SHORT = {"type": "string", "minLength": 1, "maxLength": 2_000}
_ATTACHMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["fallback", "text"],
    "properties": {
        "fallback": {"type": "string"},
        "text": {"type": "string", "maxLength": 8_000},
        "pretext": _SHORT | {"maxLength": 3_000},
        "title": _SHORT | {"maxLength": 1_024},
        "title_link": _SHORT,
        "color": {"type": "string", "pattern": "^(good|warning|danger|#[0-9A-Fa-f]{6})$"},
        "footer": _SHORT | {"maxLength": 300},
        "image_url": _SHORT,
        "thumb_url": _SHORT,
        "callback_id": _SHORT,
        "mrkdwn_in": {"type": "array", "items": {"enum": ["pretext", "text", "fields"]}},
        "fields": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "required": ["title", "value", "short"],
                "properties": {"title": _SHORT, "value": _SHORT, "short": {"type": "boolean"}},
                "additionalProperties": False,
            },
        },
        "actions": {
            "type": "array",
            "maxItems": 5,
            "items": {"type": "object", "required": ["type", "text"]},
        },
    },
}
_MESSAGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["attachments"],
    "properties": {
        "channel": _SHORT,
        "username": _SHORT | {"maxLength": 80},
        "icon_emoji": _SHORT,
        "icon_url": _SHORT,
        "link_names": {"type": "boolean"},
        "text": _SHORT | {"maxLength": 4_000},
        "attachments": {"type": "array", "minItems": 1, "maxItems": 100, "items": _ATTACHMENT},
    },
}


def body_of(request: bytes) -> dict[str, Any]:
    """The message of a request."""
    found: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return found


def respond(request: bytes) -> bytes:
    """Slack's answer: `ok` to a webhook, JSON to a method with a token."""
    try:
        jsonschema.validate(body_of(request), _MESSAGE)
    except jsonschema.ValidationError:
        said, status = b'{"ok": false, "error": "invalid_arguments"}', b"400 Bad Request"
    else:
        by_token = b"\r\nAuthorization: Bearer " in request
        said, status = b'{"ok": true, "ts": "1.2"}' if by_token else b"ok", b"200 OK"
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(said))
    return head + said
