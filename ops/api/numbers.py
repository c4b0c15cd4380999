"""Numbers and times as Prometheus's API writes and reads them."""

import math
import re
from datetime import UTC, datetime
from decimal import Decimal

from schemas.errors import Refused

_STEP = re.compile(r"(\d+)(ms|s|m|h|d|w|y)", re.ASCII)
_MS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_LIMIT = 2**53
_EARLIEST, _LATEST = -62_135_596_800_000, 253_402_300_799_999


def value_text(value: float) -> str:
    """A sample's value: shortest digits, never an exponent (Go's 'f', -1)."""
    special = _special(value)
    if special:
        return special
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def exponent_text(value: float) -> str:
    """An alert's value: shortest digits with an exponent (Go's 'e', -1)."""
    special = _special(value)
    if special:
        return special
    digits, _, exponent = format(Decimal(repr(float(value))).normalize(), "e").partition("e")
    power = int(exponent)
    return f"{digits}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return ""


def seconds(at: int) -> float | int:
    """Milliseconds as Prometheus's seconds."""
    return at // 1_000 if at % 1_000 == 0 else at / 1_000


def when_text(at: int) -> str:
    """Milliseconds as RFC 3339, which knows the years 1 to 9999: what is beyond is their edge."""
    at = min(max(at, _EARLIEST), _LATEST)
    whole = datetime.fromtimestamp(at // 1_000, UTC).replace(tzinfo=None)
    return f"{whole.isoformat()}.{at % 1_000:03d}Z"


def parse_time(text: str, name: str) -> int:
    """Unix seconds or RFC 3339, in ms.

    Raises `Refused`.
    """
    try:
        at = round(float(text) * 1_000)
    except (ValueError, OverflowError):
        at = _parse_rfc3339(text, name)
    if abs(at) > _LIMIT:
        raise Refused(f'invalid parameter "{name}": out of range')
    return at


def _parse_rfc3339(text: str, name: str) -> int:
    hint = "write seconds since 1970 or 2026-01-31T12:00:00Z"
    try:
        when = datetime.fromisoformat(text)
    except ValueError as fault:
        message = f'invalid parameter "{name}": cannot parse {text[:60]!r} as a time: {hint}'
        raise Refused(message) from fault
    if when.tzinfo is None:
        raise Refused(f'invalid parameter "{name}": {text[:60]!r} has no time zone: {hint}')
    return round(when.timestamp() * 1_000)


def parse_step(text: str, name: str) -> int:
    """Seconds or a duration such as `1m`, in ms, more than zero.

    Raises `Refused`.
    """
    try:
        step = round(float(text) * 1_000)
    except (ValueError, OverflowError):
        parts = _STEP.findall(text) if re.fullmatch(r"(?:\d+(?:ms|[smhdwy]))+", text) else []
        step = sum(int(number[:12]) * _MS[unit] for number, unit in parts)
    if not 0 < step <= _LIMIT:
        raise Refused(f'invalid parameter "{name}": must be above zero, for example 15 or 1m')
    return step
