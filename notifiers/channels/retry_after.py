"""The `Retry-After` header: seconds or a date (RFC 9110, 10.2.3)."""

from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST = 86_400.0


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, at most a day; None if the header says nothing usable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST)
    try:
        when = parsedate_to_datetime(text)
        at = (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(at - now, 0.0), LONGEST)
