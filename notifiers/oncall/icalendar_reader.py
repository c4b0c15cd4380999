"""An iCalendar file (RFC 5545) as the people of a layer: who is on call, says the calendar.

Each event is a shift: of the user whose e-mail is among its attendees, else of the one whose name
is its summary. Of two events at once the one that began later wins, and of two that began together
the later in the file. Recurrences (RRULE, RDATE, EXDATE, and single instances that were moved) keep
to the wall's clock of the event's own zone, as calendars do.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import takewhile
from math import prod
from threading import Lock
from typing import Any

from dateutil.rrule import rrule, rrulestr
from icalendar import Calendar
from icalendar.timezone import tzp

from notifiers.oncall.events import CalendarTurns, Series
from notifiers.time_intervals import zone

MOST_BYTES, MOST_EVENTS = 1_000_000, 5_000
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
# Events are `Any`: the library's types are unions of thirty, which only RFC 5545 tells apart.
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_LONGEST = timedelta(days=366)
_MOST_TIMES = 24
_MOST_COUNT = 1_000
_FURTHEST = timedelta(days=36_525)
"""A rule that does not come in a hundred years is taken for one that never does."""
_ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "UID", "SUMMARY", "STATUS")
_ZONED = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
_parsing = Lock()
Names = Mapping[str, str]
"""Users by what a calendar may call them, in lower case: their names and their e-mails."""


class NotCalendar(ValueError):
    """The text cannot be read as a calendar, with what is wrong with it."""


def read_calendar(text: str, location: str, names: Names | None) -> CalendarTurns:
    """The shifts in a calendar; `names` None lets every summary be a user. Raises NotCalendar.

    `location` is the zone of times that name none.
    """
    given = None if names is None else tuple(sorted(names.items()))
    return _read(text, location, given)


@lru_cache(maxsize=16)
def _read(text: str, location: str, given: tuple[tuple[str, str], ...] | None) -> CalendarTurns:
    """Plans and requests read the same text again and again."""
    if len(text) > MOST_BYTES:
        raise NotCalendar(f"the calendar is larger than {MOST_BYTES} characters")
    events = [one for one in _events(text) if not _cancelled(one)]
    if len(events) > MOST_EVENTS:
        raise NotCalendar(f"more than {MOST_EVENTS} events")
    names = None if given is None else dict(given)
    for event in events:
        for name, why in event.errors:
            raise NotCalendar(f"an event with a bad {name}: {str(why)[:100]}")
        for name in _ONCE:
            if isinstance(event.get(name), list):
                raise NotCalendar(f"an event with {name} twice")
        for name in _ZONED:
            _check_zones(event.get(name))
    users = [_user(one, names) for one in events]
    if unknown := sorted({said for said, user in users if user is None}):
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise NotCalendar(f"events of nobody among the users: {', '.join(unknown[:5])}{more}")
    moved = _moved(events, location)
    series = [
        _series(one, user or "", location, moved)
        for one, (_, user) in zip(events, users, strict=True)
    ]
    return CalendarTurns(tuple(series))


def known_as(users: Mapping[str, str]) -> dict[str, str]:
    """What a calendar may call users, from their names and e-mails."""
    names = {name.strip().lower(): name for name in users}
    return names | {email.strip().lower(): name for name, email in users.items() if email}


def _events(text: str) -> list[Any]:
    """The events of a calendar. Raises NotCalendar."""
    try:
        with _parsing:
            # The library keeps the zones that calendars define: those of another one are not ours.
            tzp.use_default()
            return list(Calendar.from_ical(text).walk("VEVENT"))
    except OSError as fault:
        # The library opens the file of a zone by its name, which may be a folder's.
        raise NotCalendar("an event in a time zone that is none") from fault
    except Exception as fault:  # of a broken file the library raises whatever comes of it
        raise NotCalendar(f"not an iCalendar file: {str(fault)[:200]}") from fault


def _check_zones(found: Any) -> None:
    """A zone that nobody knows would silently become the schedule's."""
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        times = [each.dt for each in one.dts] if hasattr(one, "dts") else [one.dt]
        name = one.params.get("TZID")
        if name and any(isinstance(at, datetime) and at.tzinfo is None for at in times):
            raise NotCalendar(f'an event in the unknown time zone "{str(name)[:60]}"')


def _cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _user(event: Any, names: Names | None) -> tuple[str, str | None]:
    """What the event says, and whom that means."""
    summary = str(event.get("SUMMARY", "")).strip()
    if names is None:
        return summary or "(no summary)", summary or None
    found = event.get("ATTENDEE", [])
    for attendee in found if isinstance(found, list) else [found]:
        email = str(attendee).strip().lower().removeprefix("mailto:")
        if email in names:
            return email, names[email]
    said = f'"{summary[:40]}"' if summary else "(no summary)"
    return said, names.get(summary.lower())


def _moved(events: Collection[Any], location: str) -> dict[str, frozenset[datetime]]:
    """The instances of each series, by its UID, that events of their own stand for."""
    moved: dict[str, set[datetime]] = {}
    for event in events:
        instance = event.get("RECURRENCE-ID")
        if instance is None:
            continue
        if str(instance.params.get("RANGE", "")).upper() == "THISANDFUTURE":
            raise NotCalendar("RANGE=THISANDFUTURE is not supported: end the series and begin anew")
        at = _instant(instance.dt, location)
        moved.setdefault(str(event.get("UID", "")), set()).add(at)
    return {uid: frozenset(found) for uid, found in moved.items()}


def _series(
    event: Any, user: str, location: str, moved: Mapping[str, frozenset[datetime]]
) -> Series:
    if event.get("DTSTART") is None:
        raise NotCalendar(f"an event of {user} without DTSTART")
    start = event["DTSTART"].dt
    if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        raise NotCalendar(f"an event of {user} in {start.year}: not before {_FIRST_YEAR}")
    where = _zone_of(start, location)
    local = _local(start, where)
    is_instance = event.get("RECURRENCE-ID") is not None
    skipped = {_instant(one, location) for one in _dates(event, "EXDATE")}
    if not is_instance:
        skipped |= moved.get(str(event.get("UID", "")), frozenset())
    return Series(
        user=user,
        start=local,
        lasts=_lasts(event, start, where, user),
        where=where,
        rule=None if is_instance else _rule(event, local, where, user),
        also=tuple(_local(one, where) for one in _dates(event, "RDATE")),
        skipped=frozenset(skipped),
    )


def _lasts(event: Any, start: date, where: tzinfo, user: str) -> timedelta:
    """How long a shift is, by the wall's clock."""
    if (end := event.get("DTEND")) is not None:
        lasts = _local(end.dt, where) - _local(start, where)
    elif (duration := event.get("DURATION")) is not None:
        lasts = duration.dt
    else:
        lasts = timedelta(days=0 if isinstance(start, datetime) else 1)
    if lasts <= timedelta(0):
        raise NotCalendar(f"an event of {user} that takes no time")
    if lasts > _LONGEST:
        raise NotCalendar(f"an event of {user} that takes longer than a year")
    return lasts


def _rule(event: Any, start: datetime, where: tzinfo, user: str) -> rrule | None:
    found = event.get("RRULE")
    if found is None:
        return None
    if isinstance(found, list):
        raise NotCalendar(f"an event of {user} with several RRULEs")
    if not {str(one).upper() for one in found.get("FREQ", [])} <= _FREQUENCIES:
        raise NotCalendar(f"an event of {user} that recurs more often than each day")
    times = [len(found.get(part, [0])) for part in ("BYHOUR", "BYMINUTE", "BYSECOND")]
    if prod(times) > _MOST_TIMES:
        raise NotCalendar(f"an event of {user} more than {_MOST_TIMES} times a day")
    if any(every < 1 for every in found.get("INTERVAL", [])):
        raise NotCalendar(f"an event of {user} with an INTERVAL below 1")
    if until := found.get("UNTIL"):
        # The library compares by the wall's clock, so the end must be on it, too.
        last = until[0]
        if not isinstance(last, datetime):
            last = datetime.combine(last, datetime.max.time()).replace(microsecond=0)
        elif last.tzinfo is not None:
            last = last.astimezone(where).replace(tzinfo=None)
        rule = _parsed(found, start, user)
        return rule.replace(until=last if rule._until is None else min(last, rule._until))
    return _parsed(found, start, user)


def _parsed(found: Any, start: datetime, user: str) -> rrule:
    text = ";".join(
        part for part in found.to_ical().decode().split(";") if not part.startswith("UNTIL=")
    )
    try:
        rule = rrulestr(text, dtstart=start)
    except (ValueError, TypeError) as fault:
        raise NotCalendar(f"an event of {user} with a bad RRULE: {str(fault)[:100]}") from fault
    assert isinstance(rule, rrule)
    if rule.replace(count=None, until=start + _FURTHEST).after(start, inc=True) is None:
        # Such as the 30th of February: asking for it would go on to the year 9999 each time.
        raise NotCalendar(f"an event of {user} with an RRULE that never comes")
    if rule._count is None:
        return rule
    if rule._count > _MOST_COUNT:
        raise NotCalendar(f"an event of {user} with a COUNT above {_MOST_COUNT}: end it with UNTIL")
    # Who asks for a day far on need not count from the first.
    times = takewhile(lambda one: one <= start + _FURTHEST, rule)
    return rule.replace(count=None, until=max(times))


def _dates(event: Any, key: str) -> list[date]:
    found = event.get(key)
    lists = found if isinstance(found, list) else [] if found is None else [found]
    times = [one.dt for each in lists for one in each.dts]
    if any(isinstance(one, tuple) for one in times):
        raise NotCalendar(f"periods in {key} are not supported: write them as events")
    return times


def _zone_of(start: date, location: str) -> tzinfo:
    if isinstance(start, datetime) and start.tzinfo is not None:
        return start.tzinfo
    return zone(location) or UTC


def _local(at: date, where: tzinfo) -> datetime:
    """The time on the wall's clock of that zone."""
    if not isinstance(at, datetime):
        return datetime.combine(at, datetime.min.time())
    return (at if at.tzinfo is None else at.astimezone(where)).replace(tzinfo=None)


def _instant(at: date, location: str) -> datetime:
    """The same as an instant, in UTC."""
    where = _zone_of(at, location)
    return _local(at, where).replace(tzinfo=where).astimezone(UTC)
