"""Cron expressions in a time zone: Debian's cron, also where clocks change (cronsim)."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from cronsim import CronSim, CronSimError

from notifiers.time_intervals import zone

MAX_EXPRESSION = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check(expression: str) -> str:
    """The expression itself. Raises ValueError with a sentence for people."""
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"a cron expression has at most {MAX_EXPRESSION} characters")
    if len(expression.split()) != 5:
        raise ValueError("a cron expression has five fields: minute hour day month weekday")
    try:
        if next(CronSim(expression, _EPOCH), None) is None:
            raise ValueError("no such instant ever comes")
    except CronSimError as fault:
        raise ValueError(f"not a cron expression: {fault}") from fault
    return expression


def location(text: str) -> str:
    """The name of a time zone. Raises ValueError."""
    if zone(text) is None:
        raise ValueError("name a time zone, such as Europe/Berlin: every machine has its own Local")
    return text


@lru_cache(maxsize=4_096)
def following(expression: str, location: str, after: int) -> int:
    """The first instant (ms) of a schedule that is later than `after` (ms)."""
    local = (_EPOCH + timedelta(milliseconds=after)).astimezone(_zone(location))
    found = next(CronSim(expression, local))
    return int((found - _EPOCH) / timedelta(milliseconds=1))


def _zone(location: str) -> tzinfo:
    found = zone(location)
    assert found is not None
    return found
