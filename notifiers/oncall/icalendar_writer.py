"""Shifts as an iCalendar file (RFC 5545): an event each, in UTC, with the user as attendee."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vCalAddress

from notifiers.oncall.schedule import Schedule, Shift
from schemas.labels import derived_id

PRODUCT = "-//Tocsin//on-call//EN"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def calendar_of(
    schedule: Schedule, shifts: Iterable[Shift], emails: Mapping[str, str], now: int
) -> bytes:
    """The calendar of these shifts; gaps are no events. `emails` by user, `now` in ms.

    A shift keeps its UID from one export to the next, so that calendars know it again.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", schedule.name)
    calendar.add("x-wr-timezone", schedule.location)
    for shift in shifts:
        if shift.user is not None:
            calendar.add_component(_event(schedule, shift, shift.user, emails, now))
    return bytes(calendar.to_ical())


def _event(
    schedule: Schedule, shift: Shift, user: str, emails: Mapping[str, str], now: int
) -> Event:
    event = Event()
    event.add("uid", f"{derived_id('shift', schedule.name, shift.start, user)}@tocsin")
    event.add("dtstamp", _at(now))
    event.add("dtstart", _at(shift.start))
    event.add("dtend", _at(shift.end))
    event.add("summary", user)
    event.add("description", f"{schedule.name}, {shift.by}")
    if email := emails.get(user):
        attendee = vCalAddress(f"mailto:{email}")
        attendee.params["CN"] = user
        event.add("attendee", attendee)
    return event


def _at(at: int) -> datetime:
    """To the second, which is what calendars know."""
    return _EPOCH + timedelta(seconds=at // 1_000)
