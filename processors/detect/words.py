"""How detectors write numbers and times in what they tell people."""

from datetime import UTC, datetime

from schemas.templates import numbers


def number(value: float) -> str:
    """Four significant digits, as templates' `printf "%.4g"`."""
    return numbers.significant(value)


def span(milliseconds: float) -> str:
    """A duration in words: `2h 5m 0s`."""
    return numbers.humanize_duration(milliseconds / 1000)


def moment(milliseconds: float) -> str:
    """A time as ISO 8601, in UTC, to the second."""
    at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return at.isoformat().replace("+00:00", "Z")
