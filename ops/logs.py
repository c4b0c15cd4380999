"""What a process writes to standard error: events, with their fields, one a line."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NOISY: Final = (
    "httpx",
    "httpcore",
    "uvicorn",
    "engineio",
    "socketio",
    "asyncio",
    "clickhouse_connect",
    "nicegui",
    "aiokafka",
    "faust",
    "kafka",
    "mode",
)
_REPEATING: Final = ("kafka", "aiokafka")
"""They say of every single try that a broker does not answer; we say once that it is away."""


def configure(level: str = "info", form: Literal["text", "json"] = "text") -> None:
    """Log to standard error from here on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _REPEATING:
        shown = logging.WARNING if root.level <= logging.DEBUG else logging.CRITICAL
        logging.getLogger(name).setLevel(shown)


class TextLines(logging.Formatter):
    """`12:00:01.250 warning tocsin.api: request failed path=/x`, no control characters."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        head = f"{at:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z {record.levelname.lower()} "
        fields = "".join(f" {key}={_shown(value)}" for key, value in fields_of(record).items())
        text = f"{head}{record.name}: {one_line(record.getMessage())}{fields}"
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            text += "".join(f"\n  {one_line(line)}" for line in trace.splitlines())
        return text


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller gave as `extra`."""
    return {key: value for key, value in vars(record).items() if key not in _OWN}


def one_line(text: str) -> str:
    """The text with every character that is not printable written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _shown(value: object) -> str:
    text = one_line(str(value))
    quoted = text.replace('"', "'")
    return f'"{quoted}"' if not text or " " in text else text
