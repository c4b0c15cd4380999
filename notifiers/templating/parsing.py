"""Times read by one of Go's layouts: `toDate` and `mustToDate`."""

import re
from datetime import UTC, datetime, timedelta, timezone

from notifiers.templating.layout import CHUNK, DAYS, MONTHS
from notifiers.templating.times import Moment, moment
from schemas.templates.errors import Unexpandable
from schemas.templates.quoting import quoted

_SHORT_MONTHS = [name[:3] for name in MONTHS]
_FORMS = {
    "January": rf"(?P<month_name>{'|'.join(MONTHS)})",
    "Jan": rf"(?P<month_name>{'|'.join(_SHORT_MONTHS)})",
    "01": r"(?P<month>\d\d)",
    "1": r"(?P<month>\d\d?)",
    "Monday": f"(?:{'|'.join(DAYS)})",
    "Mon": f"(?:{'|'.join(name[:3] for name in DAYS)})",
    "02": r"(?P<day>\d\d)",
    "_2": r" ?(?P<day>\d\d?)",
    "2": r" ?(?P<day>\d\d?)",
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<short_year>\d\d)",
    "15": r"(?P<hour>\d\d)",
    "03": r"(?P<hour>\d\d)",
    "3": r"(?P<hour>\d\d?)",
    "04": r"(?P<minute>\d\d)",
    "4": r"(?P<minute>\d\d?)",
    "05": r"(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?",
    "5": r"(?P<second>\d\d?)(?:[.,](?P<fraction>\d{1,9}))?",
    "PM": "(?P<half>AM|PM)",
    "pm": "(?P<half>am|pm)",
    "MST": "(?P<zone>UTC|[A-Z]{3,4})",
}


def read_or_zero(layout: str, written: str) -> Moment:
    """`toDate`: Go's zero time for what does not fit."""
    try:
        return read(layout, written)
    except Unexpandable:
        return moment(None)


def read(layout: str, written: str) -> Moment:
    """`mustToDate`, in UTC where the layout has no offset; raises Unexpandable."""
    found = re.fullmatch(_form(layout), written, re.ASCII)
    failure = Unexpandable(f"parsing time {quoted(written)} as {quoted(layout)}: cannot parse")
    if found is None:
        raise failure
    try:
        return _moment({name: part for name, part in found.groupdict().items() if part})
    except ValueError as fault:
        raise failure from fault


def _form(layout: str) -> str:
    parts, end = list[str](), 0
    seconds = False
    for chunk in CHUNK.finditer(layout):
        parts.append(re.escape(layout[end : chunk.start()]))
        end = chunk.end()
        if chunk[0][0] in ".,":
            # Seconds take their fraction already.
            parts.append("" if seconds else re.escape(chunk[0]))
            continue
        seconds = chunk[0] in {"05", "5"}
        parts.append(_FORMS.get(chunk[0]) or _offset_form(chunk[0]))
    try:
        return re.compile("".join([*parts, re.escape(layout[end:])])).pattern
    except re.error as fault:
        raise Unexpandable(f"layout {quoted(layout)} says one thing twice") from fault


def _offset_form(chunk: str) -> str:
    if chunk[0] not in "Z-":
        raise Unexpandable(f"reading {quoted(chunk)} of a layout is not supported")
    colon = ":" if ":" in chunk else ""
    count = len(chunk.replace(":", "")) // 2
    digits = r"[+-]\d\d" + rf"{colon}\d\d" * (count - 1)
    return f"(?P<offset>{'Z|' if chunk[0] == 'Z' else ''}{digits})"


def _moment(parts: dict[str, str]) -> Moment:
    if parts.get("zone", "UTC") != "UTC":
        raise Unexpandable(f"reading the zone {parts['zone']} is not supported; use an offset")
    zone = _zone(parts.get("offset", "Z"))
    civil = datetime(
        _year(parts), _month(parts), int(parts.get("day", 1)), _hour(parts),
        int(parts.get("minute", 0)), int(parts.get("second", 0)), tzinfo=zone,
    )  # fmt: skip
    whole = (civil - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return Moment(whole * 10**9 + int(parts.get("fraction", "0").ljust(9, "0")), zone)


def _year(parts: dict[str, str]) -> int:
    short = parts.get("short_year")
    if short is not None:
        return int(short) + (1900 if int(short) >= 69 else 2000)
    return int(parts.get("year", 1))


def _month(parts: dict[str, str]) -> int:
    name = parts.get("month_name")
    return int(parts.get("month", 1)) if name is None else _SHORT_MONTHS.index(name[:3]) + 1


def _hour(parts: dict[str, str]) -> int:
    hour, half = int(parts.get("hour", 0)), parts.get("half", "").lower()
    if not half:
        return hour
    return hour % 12 + (12 if half == "pm" else 0)


def _zone(offset: str) -> timezone:
    if offset == "Z":
        return UTC
    digits = offset[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return timezone(timedelta(seconds=-seconds if offset[0] == "-" else seconds))
