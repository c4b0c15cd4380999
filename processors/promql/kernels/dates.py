"""Date functions: UTC's calendar of values that are seconds since 1970, as Go's `time` has it."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from processors.promql.columns import Floats

Whole: TypeAlias = NDArray[np.int64]

# Go counts from 1 March of a year that lies before every int64 of seconds. A year that begins in
# March has its leap day at the end (Neri and Schneider 2022, as in Go's time.go).
_ZERO_YEAR = -292_277_022_400
_FROM_ZERO_TO_1970 = np.uint64(9_223_372_028_741_760_000)
_DAY = np.uint64(86_400)
_CENTURIES = 146_097  # days in four centuries
_YEARS = 1461  # days in four years
_MARCH_TO_DECEMBER = 306
_MONTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEYOND = np.iinfo(np.int64).min


def _split(values: Floats) -> tuple[Whole, Whole]:
    """Days since Go's zero, and seconds of the day; NaN and beyond int64 is int64's lowest."""
    inside = np.abs(values) < 2.0**63
    unix = np.where(inside, np.where(inside, values, 0.0).astype(np.int64), _BEYOND)
    days, seconds = np.divmod(unix.view(np.uint64) + _FROM_ZERO_TO_1970, _DAY)
    return days.astype(np.int64), seconds.astype(np.int64)


def _calendar(values: Floats) -> tuple[Whole, Whole, Whole, Whole]:
    """Year, month, day of the month and day of the year."""
    century, rest = np.divmod(4 * _split(values)[0] + 3, _CENTURIES)
    of_century, rest = np.divmod(rest | 3, _YEARS)
    since_march = rest // 4
    month, rest = np.divmod(5 * since_march + 461, 153)
    next_year = since_march >= _MARCH_TO_DECEMBER
    leap = (of_century % 4 == 0) & ((of_century != 0) | (century % 4 == 0))
    year = century * 100 + of_century + next_year + _ZERO_YEAR
    of_year = since_march + 60 + (leap & ~next_year) - 365 * next_year
    return year, month - 12 * next_year, rest // 5 + 1, of_year


def minute(values: Floats) -> Floats:
    """`minute`: 0 to 59."""
    return (_split(values)[1] // 60 % 60).astype(np.float64)


def hour(values: Floats) -> Floats:
    """`hour`: 0 to 23."""
    return (_split(values)[1] // 3600).astype(np.float64)


def day_of_week(values: Floats) -> Floats:
    """`day_of_week`: 0 is Sunday; Go's zero was a Wednesday."""
    return ((_split(values)[0] + 3) % 7).astype(np.float64)


def day_of_month(values: Floats) -> Floats:
    """`day_of_month`: 1 to 31."""
    return _calendar(values)[2].astype(np.float64)


def day_of_year(values: Floats) -> Floats:
    """`day_of_year`: 1 to 366."""
    return _calendar(values)[3].astype(np.float64)


def days_in_month(values: Floats) -> Floats:
    """`days_in_month`: 28 to 31."""
    year, month, *_ = _calendar(values)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: Floats = (_MONTHS[month - 1] + (leap & (month == 2))).astype(np.float64)
    return days


def month(values: Floats) -> Floats:
    """`month`: 1 to 12."""
    return _calendar(values)[1].astype(np.float64)


def year(values: Floats) -> Floats:
    """`year`."""
    return _calendar(values)[0].astype(np.float64)
