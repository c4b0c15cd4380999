"""What people write to have a window: one mapping, in JSON or YAML.

    {"matchers": ["service=shop"], "comment": "patches", "owner": "ada",
     "every": "tuesday 02:00 for 2h in Europe/Berlin", "remind_before": "1h"}

Exactly one of `for` or `until` (once), `every` or `calendar` (again and again) and `timeout`
(while a deploy runs) says when; `until` also ends the other two for good.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from notifiers.duration import milliseconds
from notifiers.matchers import Matcher, Mode, is_label_name, parse_matchers
from notifiers.problem import Problem
from notifiers.time_intervals import read_time_interval, zone
from notifiers.windows.window import LONGEST_DEPLOY, window_of
from notifiers.yaml_reader import Reading, Section, compose
from schemas.commands import SilenceMatcher
from schemas.windows import Calendar, Repeat, WindowSet

_DAYS: Final = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
_WHEN: Final = ("for", "until", "every", "calendar", "timeout")
_SETS: Final = {"day": (), "weekday": (1, 2, 3, 4, 5), "weekend": (0, 6)}
_EVERY = re.compile(
    r"(?:every )?([a-z]+(?:(?:, ?| and )[a-z]+)*) (?:at )?([01]?\d|2[0-3]):([0-5]\d)"
    r" for (\w+)(?: in (\S+))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A window that somebody wants, and whether he insists though it hides very much."""

    window: WindowSet
    force: bool
    is_once: bool


def read_wish(text: str, name: str, now: int, mode: Mode) -> tuple[Wish | None, list[Problem]]:
    """The window of this id, or everything that is wrong with the text."""
    reading = Reading("window")
    root = compose(text, reading)
    if root is None:
        return None, reading.problems
    matchers = _matchers(root, mode)
    start = root.parsed("from", instant_of)
    until, length = root.parsed("until", instant_of), root.duration("for")
    repeat, calendars = root.parsed("every", repeat_of), _calendars(root)
    timeout, service = root.duration("timeout"), root.text("service") or ""
    if service and not matchers:
        matchers = [SilenceMatcher(name="service", operator="=", value=service)]
    fields = {
        "id": name,
        "sets": (tuple(matchers),),
        "owner": root.text("owner") or "",
        "comment": root.text("comment") or "",
        "starts_at": now if start is None else start,
        "ends_at": until if length is None else (now if start is None else start) + length,
        "calendars": calendars,
        "repeats": () if repeat is None else (repeat,),
        "service": service,
        "timeout": timeout,
        "remind_before": root.duration("remind_before"),
        "remind_to": root.text("remind_to") or "",
    }
    force = root.boolean("force") or False
    root.close()
    _check(root, fields, now, length is not None and until is not None)
    if reading.problems:
        return None, reading.problems
    try:
        window = WindowSet.model_validate(fields)
        window_of(window)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        reading.problem(None, ".".join(map(str, first["loc"])), first["msg"])
        return None, reading.problems
    except ValueError as fault:
        reading.problem(None, "", str(fault))
        return None, reading.problems
    return Wish(window, force, timeout is None and not calendars and repeat is None), []


def instant_of(text: str) -> int:
    """An instant in ms: RFC 3339 with its zone, or ms since 1970. Raises ValueError."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        hint = "write RFC 3339, as in 2026-12-24T18:00:00Z"
        raise ValueError(f'no time: "{text[:40]}": {hint}') from fault
    if moment.tzinfo is None:
        raise ValueError(f'"{text[:40]}" has no time zone: end with Z, or with +01:00')
    return round(moment.timestamp() * 1_000)


def repeat_of(text: str) -> Repeat:
    """`tuesday 02:00 for 2h in Europe/Berlin`; also day, weekday, weekend, and several days."""
    found = _EVERY.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f'"{text[:60]}" is not understood: write DAYS HH:MM for DURATION in ZONE, '
            "as in: tuesday 02:00 for 2h in Europe/Berlin"
        )
    length = milliseconds(found[4])
    if not 0 < length <= 604_800_000:
        raise ValueError(f'more than nothing and at most a week is wanted, not "{found[4]}"')
    zone(location := found[5] or "UTC")
    return Repeat(
        weekdays=_weekdays(found[1]),
        minute=int(found[2]) * 60 + int(found[3]),
        length=length,
        location=location,
    )


def _weekdays(text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for word in re.split(r", ?| and ", text.lower()):
        if word in _SETS and word != "day":
            days.update(_SETS[word])
        elif word == "day":
            return ()
        else:
            found = [n for n, day in enumerate(_DAYS) if word in (day, day[:3], f"{day}s")]
            if not found:
                raise ValueError(f'"{word[:20]}" is no day: write monday, or day, weekday, weekend')
            days.update(found)
    return tuple(sorted(days))


def _matchers(root: Section, mode: Mode) -> list[SilenceMatcher]:
    found: list[Matcher] = []
    for text, node in root.texts("matchers"):
        try:
            found += parse_matchers(text, mode)
        except ValueError as fault:
            root.problem("matchers", str(fault), at=node)
    for one in found:
        if not is_label_name(one.name, mode):
            root.problem("matchers", f'invalid label name "{one.name[:60]}"')
    return [
        SilenceMatcher(name=one.name, operator=one.operator.value, value=one.value) for one in found
    ]


def _calendars(root: Section) -> tuple[Calendar, ...]:
    found = [read_time_interval(one) for one in root.sections("calendar")]
    return tuple(
        Calendar(
            times=one.times,
            weekdays=one.weekdays,
            days_of_month=one.days_of_month,
            months=one.months,
            years=one.years,
            location=one.location,
        )
        for one in found
    )


def _check(root: Section, fields: dict[str, object], now: int, both: bool) -> None:
    if not fields["sets"] or not fields["sets"][0]:  # type: ignore[index]  # a tuple of tuples
        root.problem("matchers", "at least one matcher is wanted", 'as in ["service=shop"]')
    if not fields["owner"]:
        root.problem("owner", "somebody has to own it")
    if both:
        root.problem("for", "for and until both say when it ends", "write one of them")
    ends = fields["ends_at"]
    ways = [bool(fields["repeats"]), bool(fields["calendars"]), fields["timeout"] is not None]
    if sum(ways) > 1:
        root.problem("", "every, calendar and timeout exclude one another")
    elif not any(ways) and ends is None and all(root.value(key) is None for key in _WHEN):
        hint = "write for, until, every, calendar or timeout"
        root.problem("", "nothing says when it holds", hint)
    if isinstance(ends, int) and ends <= now:
        root.problem("until", "the end is in the past")
    timeout = fields["timeout"]
    if isinstance(timeout, int) and not 0 < timeout <= LONGEST_DEPLOY:
        root.problem("timeout", "more than nothing and at most 24h is wanted")
