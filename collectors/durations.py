"""Durations as people write them: `10s`, `1m`, `1h30m`, `500ms`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
# Prometheus's own form: units from large to small, each at most once.
_FORM = re.compile(r"(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?")
_PART = re.compile(r"(\d+)(ms|[wdhms])")


def duration(text: object) -> object:
    """The duration that `text` says; what is no text is left for pydantic to judge."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not text or not _FORM.fullmatch(text) or len(text) > 40:
        raise ValueError('write a duration with its unit, for example "10s" or "1m"')
    try:
        return sum((int(n) * _UNITS[unit] for n, unit in _PART.findall(text)), timedelta())
    except OverflowError as fault:
        raise ValueError("the duration is longer than time itself") from fault


Duration = Annotated[timedelta, BeforeValidator(duration)]
"""A field of a configuration class that reads `10s`."""


def _frequent(found: timedelta) -> timedelta:
    if found < timedelta(milliseconds=100):
        raise ValueError('must be at least "100ms"')
    return found


Interval = Annotated[Duration, AfterValidator(_frequent)]
"""How often something is looked at."""
