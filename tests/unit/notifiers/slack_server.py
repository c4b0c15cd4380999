"""Slack as far as messages go: what it refuses, as its documentation says, and what it keeps."""

import json
import re
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import jsonschema

from tests.unit.notifiers.servers import response

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
_BUTTON = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "text", "action_id"],
    "properties": {
        "type": {"const": "button"},
        "text": {
            "type": "object",
            "required": ["type", "text"],
            "properties": {
                "type": {"const": "plain_text"},
                "text": {"type": "string", "minLength": 1, "maxLength": 75},
            },
        },
        "action_id": {"type": "string", "maxLength": 255},
        "url": {"type": "string", "pattern": "^https?://", "maxLength": 3_000},
        "value": {"type": "string", "maxLength": 2_000},
        "style": {"enum": ["primary", "danger"]},
    },
}
_BLOCKS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["blocks"],
    "properties": {
        "fallback": {"type": "string"},
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "elements"],
                "properties": {
                    "type": {"const": "actions"},
                    "elements": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 25,
                        "items": _BUTTON,
                    },
                },
            },
        },
    },
}
_EITHER = {"anyOf": [_ATTACHMENT, _BLOCKS]}
_MESSAGE: dict[str, Any] = {
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
        "attachments": {"type": "array", "minItems": 1, "maxItems": 100, "items": _EITHER},
    },
}
_UPDATE = _MESSAGE | {
    "required": ["channel", "ts", "attachments"],
    "properties": {
        key: one
        for key, one in (_MESSAGE["properties"] | {"ts": _SHORT}).items()
        if key not in ("username", "icon_emoji", "icon_url")
    },
}
_REPLY = {
    "type": "object",
    "additionalProperties": False,
    "required": ["channel", "thread_ts", "text"],
    "properties": {
        "channel": _SHORT,
        "thread_ts": _SHORT,
        "reply_broadcast": {"type": "boolean"},
        "text": _SHORT | {"maxLength": 4_000},
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


@dataclass
class Workspace:
    """A workspace that keeps its messages; `gone` says why the next update is refused."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: list[str] = field(default_factory=list)
    gone: str = ""
    lock: Lock = field(default_factory=Lock)

    def replies(self, ts: str) -> list[dict[str, Any]]:
        """What stands in a message's thread."""
        return [one for one in self.messages.values() if one.get("thread_ts") == ts]

    def respond(self, request: bytes) -> bytes:
        """The answer of `chat.postMessage` and `chat.update`."""
        method = re.match(rb"POST /api/(chat\.\w+) ", request)
        assert b"\r\nAuthorization: Bearer " in request
        assert method is not None
        body = body_of(request)
        with self.lock:
            said = self._update(body) if method[1] == b"chat.update" else self._post(body)
        return response("200 OK", json.dumps(said).encode())

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        schema = _REPLY if "thread_ts" in body else _MESSAGE
        if not _is(body, schema) or "channel" not in body:
            return {"ok": False, "error": "invalid_arguments"}
        if "thread_ts" in body and body["thread_ts"] not in self.messages:
            return {"ok": False, "error": "invalid_thread_ts"}
        ts = f"1700000000.{len(self.messages):06}"
        self.messages[ts] = body
        return {"ok": True, "channel": "C01", "ts": ts}

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        if not _is(body, _UPDATE):
            return {"ok": False, "error": "invalid_arguments"}
        if self.gone or body["ts"] not in self.messages:
            return {"ok": False, "error": self.gone or "message_not_found"}
        if body["channel"] != "C01":
            return {"ok": False, "error": "channel_not_found"}
        self.messages[body["ts"]] = body
        self.updates.append(body["ts"])
        return {"ok": True, "channel": "C01", "ts": body["ts"]}


def _is(body: dict[str, Any], schema: dict[str, Any]) -> bool:
    try:
        jsonschema.validate(body, schema)
    except jsonschema.ValidationError:
        return False
    return True
