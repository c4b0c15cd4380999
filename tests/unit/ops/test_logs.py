import json
import logging
import sys

from ops.logs import JsonLines, TextLines, one_line


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "tocsin.x", "levelname": "WARNING", "msg": message})
    made.created, made.msecs = 1_750_000_000.25, 250.0
    vars(made).update(fields)
    return made


def test_text_is_one_line_with_fields_and_no_control_characters() -> None:
    line = TextLines().format(record("delivery failed", error="no\nway \x1b[31m", n=3))
    assert line == (
        '2025-06-15T15:06:40.250Z warning tocsin.x: delivery failed error="no\\nway \\x1b[31m" n=3'
    )


def test_json_is_one_object_a_line() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        failed = record("it failed", exc_info=sys.exc_info(), stage="router")
    line = JsonLines().format(failed)
    assert "\n" not in line
    read = json.loads(line)
    assert (read["event"], read["stage"], read["level"]) == ("it failed", "router", "warning")
    assert "ValueError: x" in read["exception"]


def test_a_trace_stays_indented_under_its_event() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        failed = record("it failed", exc_info=sys.exc_info())
    first, *rest = TextLines().format(failed).splitlines()
    assert first.endswith("it failed")
    assert all(line.startswith("  ") for line in rest)


def test_what_reverses_text_is_written_out() -> None:
    assert one_line("a\u202eb") == "a\\u202eb"
