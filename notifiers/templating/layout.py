"""Go's time layouts: the reference time, `Mon Jan 2 15:04:05 MST 2006`, says what stands where."""

import re
from collections.abc import Callable
from dataclasses import dataclass

CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm"
    r"|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)"
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True, slots=True)
class Civil:
    """A time as a calendar and a clock say it; `weekday` 0 is Sunday, `offset` is in seconds."""

    year: int
    month: int
    day: int
    weekday: int
    year_day: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    offset: int
    zone: str


def formatted(layout: str, time: Civil) -> str:
    """The time in a layout."""
    return CHUNK.sub(lambda found: _chunk(found[0], time), layout)


_CHUNKS: dict[str, Callable[[Civil], str]] = {
    "January": lambda time: MONTHS[time.month - 1],
    "Jan": lambda time: MONTHS[time.month - 1][:3],
    "01": lambda time: f"{time.month:02}",
    "1": lambda time: str(time.month),
    "Monday": lambda time: DAYS[time.weekday],
    "Mon": lambda time: DAYS[time.weekday][:3],
    "02": lambda time: f"{time.day:02}",
    "_2": lambda time: f"{time.day:2}",
    "2": lambda time: str(time.day),
    "002": lambda time: f"{time.year_day:03}",
    "__2": lambda time: f"{time.year_day:3}",
    "2006": lambda time: f"{time.year:04}",
    "06": lambda time: f"{time.year % 100:02}",
    "15": lambda time: f"{time.hour:02}",
    "03": lambda time: f"{time.hour % 12 or 12:02}",
    "3": lambda time: str(time.hour % 12 or 12),
    "04": lambda time: f"{time.minute:02}",
    "4": lambda time: str(time.minute),
    "05": lambda time: f"{time.second:02}",
    "5": lambda time: str(time.second),
    "PM": lambda time: "PM" if time.hour >= 12 else "AM",
    "pm": lambda time: "pm" if time.hour >= 12 else "am",
    "MST": lambda time: time.zone,
}


def _chunk(chunk: str, time: Civil) -> str:
    plain = _CHUNKS.get(chunk)
    if plain is not None:
        return plain(time)
    if chunk[0] in ".,":
        return _fraction(chunk, time.nanosecond)
    return _offset(chunk, time.offset)


def _fraction(chunk: str, nanosecond: int) -> str:
    digits = f"{nanosecond:09}".ljust(len(chunk), "0")[: len(chunk) - 1]
    if chunk[1] == "9":
        digits = digits.rstrip("0")
    return chunk[0] + digits if digits else ""


def _offset(chunk: str, offset: int) -> str:
    if chunk[0] == "Z" and offset == 0:
        return "Z"
    minutes, seconds = divmod(abs(offset), 60)
    parts = [f"{minutes // 60:02}", f"{minutes % 60:02}", f"{seconds:02}"]
    colon = ":" if ":" in chunk else ""
    count = len(chunk.replace(":", "")) // 2
    return ("-" if offset < 0 else "+") + colon.join(parts[:count])
