"""Named spans of the calendar in which a route is muted or active, as Alertmanager has them.

A moment is inside when every field that is given has a range that holds it; a field that is given
as an empty list holds nothing. One difference is meant: `-1` is the last day of a month in every
time zone, where Alertmanager takes the last but one in a month that loses an hour.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from notifiers.yaml_reader import Section

Range = tuple[int, int]
Ranges = tuple[Range, ...] | None

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_WEEK = "sunday monday tuesday wednesday thursday friday saturday"
_YEAR = "january february march april may june july august september october november december"
_WEEKDAYS = {name: number for number, name in enumerate(_WEEK.split())}
_MONTHS = {name: number for number, name in enumerate(_YEAR.split(), 1)}
_NAME_OF_MONTH = {number: name for name, number in _MONTHS.items()}
_SHORTEST_MONTH = 28
_MINUTE, _DAY = 60_000, 1_440
"""Milliseconds, and minutes."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """Ranges of the calendar; None where a field was not given.

    `times` are minutes of the day, the end exclusive (1440 is midnight). The others include both
    ends: `weekdays` from 0, Sunday; `days_of_month` from 1, or from the end, which is -1; `months`
    from 1. `location` names a time zone.
    """

    times: Ranges = None
    weekdays: Ranges = None
    days_of_month: Ranges = None
    months: Ranges = None
    years: Ranges = None
    location: str = "UTC"

    def contains(self, at_ms: int) -> bool:
        """Whether this moment, in ms since the epoch, is inside."""
        local = datetime.fromtimestamp(at_ms // 1_000, zone(self.location))
        minute = local.hour * 60 + local.minute
        return (
            (self.times is None or any(start <= minute < end for start, end in self.times))
            and self._holds_day_of_month(local)
            and _holds(self.months, local.month)
            and _holds(self.weekdays, local.isoweekday() % 7)
            and _holds(self.years, local.year)
        )

    def steady_until(self, at_ms: int) -> int:
        """A later minute, at most a day on, before which `contains` says the same as now."""
        local = self._local(at_ms)
        minute = local.hour * 60 + local.minute
        edges = (edge for pair in self.times or () for edge in pair if edge > minute)
        begun = at_ms - at_ms % _MINUTE
        later = begun + (min(edges, default=_DAY) - minute) * _MINUTE
        # On a day that loses or gains an hour the clock on the wall says little: look each minute.
        is_even = local.utcoffset() == self._local(later).utcoffset()
        return later if is_even else begun + _MINUTE

    def _local(self, at_ms: int) -> datetime:
        """With its offset, also where the zone is the machine's own."""
        local = datetime.fromtimestamp(at_ms // 1_000, zone(self.location))
        return local if local.tzinfo is not None else local.astimezone()

    def _holds_day_of_month(self, local: datetime) -> bool:
        if self.days_of_month is None:
            return True
        length = monthrange(local.year, local.month)[1]

        def counted(day: int) -> int:
            return day if day > 0 else length + day + 1

        return any(
            counted(first) <= local.day <= counted(last) for first, last in self.days_of_month
        )


def _holds(ranges: Ranges, value: int) -> bool:
    return ranges is None or any(first <= value <= last for first, last in ranges)


@lru_cache(maxsize=1_024)
def zone(location: str) -> tzinfo | None:
    """The time zone of this name; None is the machine's own (`Local`). Raises ValueError."""
    if location in ("", "UTC"):
        return UTC
    if location == "Local":
        return None
    try:
        return ZoneInfo(location)
    except (KeyError, ValueError, OSError) as fault:
        raise ValueError(f'unknown time zone "{location[:60]}"') from fault


def local(at: int, location: str) -> datetime:
    """An instant (ms) by the calendar of this zone. Raises ValueError, also where none has it."""
    try:
        return datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone(location))
    except (OverflowError, OSError) as fault:
        raise ValueError(f"{at} ms is outside of the years 1 to 9999") from fault


def in_words(at: int, location: str = "UTC", layout: str = "%Y-%m-%d %H:%M:%S %Z") -> str:
    """An instant (ms) for people: `2026-01-05 09:00:00 UTC`; the bare number outside of years."""
    try:
        return local(at, location).strftime(layout)
    except ValueError:
        return f"{at} ms"


def read_time_interval(found: Section) -> TimeInterval:
    """One entry of a named interval's `time_intervals`."""
    interval = TimeInterval(
        times=_times(found),
        weekdays=_ranges(found, "weekdays", _weekdays),
        days_of_month=_ranges(found, "days_of_month", _days_of_month),
        months=_ranges(found, "months", _months),
        years=_ranges(found, "years", _years),
        location=found.parsed("location", _location) or "UTC",
    )
    found.close()
    return interval


def _location(text: str) -> str:
    zone(text)
    return text


def _times(found: Section) -> Ranges:
    given = found.value("times") is not None
    ranges = []
    for one in found.sections("times"):
        start, end = one.parsed("start_time", _minute), one.parsed("end_time", _minute)
        one.close()
        if not one.text("start_time") or not one.text("end_time"):
            one.problem("start_time", "both start and end times must be provided", at=one.node)
        elif start is not None and end is not None and start >= end:
            message = "start time cannot be equal or greater than end time"
            one.problem("start_time", message, "split what spans midnight into two ranges")
        else:
            ranges.append((start or 0, end or 0))
    return tuple(ranges) if given else None


def _minute(text: str) -> int:
    if not text:
        return 0
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f'couldn\'t parse timestamp "{text[:40]}": write HH:MM, up to 24:00')
    return int(found[1]) * 60 + int(found[2]) if found[1] else 1_440


def _ranges(found: Section, key: str, parse: Callable[[str], Range]) -> Ranges:
    given = found.value(key) is not None
    ranges = []
    for text, node in found.texts(key):
        try:
            ranges.append(parse(text.lower()))
        except ValueError as fault:
            found.problem(key, str(fault), at=node)
    return tuple(ranges) if given else None


def _pair(text: str, parse: Callable[[str], int]) -> Range:
    first, colon, last = text.partition(":")
    if ":" in last:
        raise ValueError(f'couldn\'t parse range "{text[:40]}": write FIRST:LAST')
    return parse(first), parse(last if colon else first)


def _named(text: str, names: Mapping[str, int], kind: str, *, or_number: bool) -> int:
    if text in names:
        return names[text]
    if or_number and _WHOLE.fullmatch(text):
        return int(text)
    raise ValueError(f'"{text[:40]}" is not a valid {kind}')


def _weekdays(text: str) -> Range:
    first, last = _pair(text, lambda one: _named(one, _WEEKDAYS, "weekday", or_number=False))
    if first > last:
        raise ValueError("start day cannot be before end day: the week begins on sunday")
    return first, last


def _months(text: str) -> Range:
    first, last = _pair(text, lambda one: _named(one, _MONTHS, "month", or_number=True))
    if first > last:
        names = [_NAME_OF_MONTH.get(each, str(each)) for each in (last, first)]
        raise ValueError(f"end month {names[0]} is before start month {names[1]}")
    return first, last


def _years(text: str) -> Range:
    first, last = _pair(text, lambda one: _named(one, {}, "year", or_number=True))
    if first > last:
        raise ValueError(f"end year {last} is before start year {first}")
    return first, last


def _days_of_month(text: str) -> Range:
    first, last = _pair(text, lambda one: _named(one, {}, "day of the month", or_number=True))
    for day in (first, last):
        if day == 0 or abs(day) > 31:
            raise ValueError(f"{day} is not a valid day of the month: out of range")
    if first < 0 < last:
        raise ValueError("end day must be negative if start day is negative")
    if _earliest(first) > _earliest(last):
        raise ValueError(f"end day {last} is always before start day {first}")
    return first, last


def _earliest(day: int) -> int:
    """The day's place in the shortest month, by which Alertmanager compares."""
    return day if day > 0 else _SHORTEST_MONTH + day
