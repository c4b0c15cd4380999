"""`toJson`: values as Go's encoding/json writes them."""

import json
import math
from collections.abc import Mapping

from notifiers.templating.data import Alert, Data, Record
from notifiers.templating.times import Moment
from schemas.templates.errors import Unexpandable
from schemas.templates.values import Value

_TAGGED: tuple[type, ...] = (Data, Alert)
"""Structs whose fields have names of their own in JSON."""
_ESCAPES = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def to_json(value: Value) -> str:
    """The value as JSON without spaces, safe inside HTML."""
    plain = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    return plain.translate(_ESCAPES)


def _plain(value: Value) -> object:
    match value:
        case Moment():
            return value.formatted("2006-01-02T15:04:05.999999999Z07:00")
        case Record():
            tagged = isinstance(value, _TAGGED)
            entries = value.entries()
            return {_tag(name) if tagged else name: _plain(each) for name, each in entries}
        case Mapping():
            return {name: _plain(each) for name, each in sorted(value.items())}
        case list():
            return [_plain(each) for each in value]
        case str():
            return str(value)
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return _float(value)
    raise Unexpandable(f"json: unsupported type: {type(value).__name__}")


def _tag(name: str) -> str:
    return "notification_reason" if name == "NotificationReason" else name[0].lower() + name[1:]


def _float(value: float) -> float | int:
    if not math.isfinite(value):
        raise Unexpandable(f"json: unsupported value: {value}")
    return int(value) if value.is_integer() and abs(value) < 1e21 else value
