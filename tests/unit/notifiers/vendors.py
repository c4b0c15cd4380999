"""What vendors' servers take: each function fails on a request that the vendor would refuse."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs

from notifiers.channels.sms_text import segments

_TELEGRAM_TAGS = frozenset(
    [
        *("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler"),
        *("a", "tg-emoji", "code", "pre", "blockquote"),
    ]
)


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    """The request line, headers by lower-case name, and the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert int(headers["content-length"]) == len(body)
    return first, headers, body


def pagerduty(request: bytes) -> Any:
    """Events API v2: https://developer.pagerduty.com/docs/send-alert-event"""
    first, headers, body = parts(request)
    if first == "POST /v2/change/enqueue HTTP/1.1":
        return _change(headers, body)
    assert first == "POST /v2/enqueue HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert len(body) <= 512_000
    event = json.loads(body)
    known = {"routing_key", "event_action", "dedup_key", "payload", "images", "links"}
    assert set(event) <= known | {"client", "client_url"}
    assert len(event["routing_key"]) == 32
    assert event["event_action"] in ("trigger", "acknowledge", "resolve")
    assert 0 < len(event["dedup_key"]) <= 255
    payload = event["payload"]
    fields = {"summary", "source", "severity", "class", "component", "group", "custom_details"}
    assert set(payload) <= fields
    assert 0 < len(payload["summary"]) <= 1_024
    assert payload["source"]
    assert payload["severity"] in ("critical", "error", "warning", "info")
    assert isinstance(payload["custom_details"], dict)
    assert all(image["src"] for image in event.get("images", []))
    assert all(link["href"] for link in event.get("links", []))
    return event


def _change(headers: dict[str, str], body: bytes) -> Any:
    """https://developer.pagerduty.com/docs/send-change-event"""
    assert headers["content-type"] == "application/json"
    assert len(body) <= 512_000
    event = json.loads(body)
    assert {"routing_key", "payload"} <= set(event) <= {"routing_key", "payload", "links", "images"}
    assert len(event["routing_key"]) == 32
    payload = event["payload"]
    assert set(payload) <= {"summary", "timestamp", "source", "custom_details"}
    assert 0 < len(payload["summary"]) <= 1_024
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", payload["timestamp"])
    assert all(link["href"] for link in event.get("links", []))
    return event


def teams(request: bytes) -> Any:
    """A message with one Adaptive Card, as a Teams workflow takes it."""
    first, headers, body = parts(request)
    assert first.startswith("POST /workflows/")
    assert headers["content-type"] == "application/json"
    assert len(body) <= 28 * 1_024
    message = json.loads(body)
    assert set(message) == {"type", "attachments"}
    assert message["type"] == "message"
    [attachment] = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    for block in card["body"]:
        assert block["type"] == "TextBlock"
        assert isinstance(block["text"], str)
        assert block.get("color", "Default") in ("Default", "Attention", "Good", "Warning")
    return card


def telegram(request: bytes) -> Any:
    """`sendMessage` of https://core.telegram.org/bots/api"""
    first, headers, body = parts(request)
    assert re.fullmatch(r"POST /bot[0-9]+:[\w-]+/sendMessage HTTP/1\.1", first)
    assert headers["content-type"] == "application/json"
    message = json.loads(body)
    assert isinstance(message["chat_id"], int)
    assert message["text"].strip()
    assert len(message["text"].encode("utf-16-le")) // 2 <= 4_096
    assert message.get("parse_mode", "HTML") in ("HTML", "Markdown", "MarkdownV2")
    if message.get("parse_mode") == "HTML":
        well_formed(message["text"])
    return message


def twilio(request: bytes) -> Any:
    """Creating a Message resource: https://www.twilio.com/docs/messaging/api/message-resource"""
    first, headers, body = parts(request)
    found = re.fullmatch(r"POST /2010-04-01/Accounts/(AC\w+)/Messages\.json HTTP/1\.1", first)
    assert found
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    user = b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert user.split(":")[0] == found[1]
    fields = parse_qs(body.decode("ascii"), strict_parsing=True, keep_blank_values=True)
    assert set(fields) in ({"To", "From", "Body"}, {"To", "MessagingServiceSid", "Body"})
    message = {name: value for name, [value] in fields.items()}
    assert re.fullmatch(r"\+[1-9][0-9]{1,14}", message["To"])
    assert 0 < len(message["Body"]) <= 1_600
    assert segments(message["Body"]) <= 2
    return message


def well_formed(text: str) -> None:
    """HTML as Telegram reads it: its own tags alone, each closed, and entities whole."""
    open_tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in _TELEGRAM_TAGS
            open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

        def handle_data(self, data: str) -> None:
            assert "<" not in data
            assert "&" not in data

        def handle_entityref(self, name: str) -> None:
            assert name in ("lt", "gt", "amp", "quot")

    assert not re.search(r"&(?!(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);)", text)
    assert not re.search(r"<[^>]*$", text)
    reader = Reader(convert_charrefs=False)
    reader.feed(text)
    reader.close()
    assert not open_tags
