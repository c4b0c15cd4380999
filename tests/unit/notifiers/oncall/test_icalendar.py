"""A calendar as the people of a layer."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from notifiers.config import Config, read
from notifiers.oncall.calendar_file import with_calendars
from notifiers.oncall.events import _near
from notifiers.oncall.schedule import Schedule, instant
from notifiers.redact import without_secrets

BERLIN = "Europe/Berlin"
ROUTES = """
route: {receiver: a}
receivers: [{name: a}]
users:
  - {name: ada, contacts: [a], email: ada@example.org}
  - {name: bob, contacts: [a]}
schedules:
  - name: primary
    time_zone: Europe/Berlin
    layers:
      - icalendar: rota.ics
        name: rota
"""


def event(*lines: str, summary: str = "bob", uid: str = "1") -> str:
    body = "\r\n".join(("BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{summary}", *lines))
    return f"{body}\r\nEND:VEVENT\r\n"


def file(*events: str) -> str:
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"
    return f"{head}{''.join(events)}END:VCALENDAR\r\n"


def loaded(folder: Path, calendar: str) -> tuple[Config | None, list[str]]:
    """As the router has it: read from the folder, and sent on without secrets."""
    (folder / "rota.ics").write_bytes(calendar.encode())
    text = with_calendars(ROUTES, folder)
    config, problems = read(text, "routes.yml")
    if config is not None:
        config, problems = read(without_secrets(text), "plan", bare=True)
    return config, [str(one) for one in problems]


def schedule(folder: Path, *events: str) -> Schedule:
    config, problems = loaded(folder, file(*events))
    assert problems == []
    assert config is not None
    return config.schedules["primary"]


def on(schedule: Schedule, local: str) -> str | None:
    found = schedule.on_call(instant(datetime.fromisoformat(local), BERLIN))
    return None if found is None else found[0]


WEEKS = (
    "DTSTART;TZID=Europe/Berlin:20260105T090000",
    "DTEND;TZID=Europe/Berlin:20260112T090000",
)


def test_an_attendee_is_known_by_e_mail_and_a_summary_by_name(tmp_path: Path) -> None:
    found = schedule(
        tmp_path,
        event(*WEEKS, "ATTENDEE;CN=A:mailto:Ada@Example.org", summary="on call"),
        event("DTSTART:20260112T080000Z", "DURATION:PT1H", summary="Bob", uid="2"),
    )
    assert on(found, "2026-01-05T08:59") is None
    assert on(found, "2026-01-05T09:00") == "ada"
    assert on(found, "2026-01-12T09:00") == "bob"
    assert on(found, "2026-01-12T10:00") is None


def test_a_recurrence_keeps_to_the_clock_on_the_wall(tmp_path: Path) -> None:
    days = (
        "DTSTART;TZID=Europe/Berlin:20260301T090000",
        "DTEND;TZID=Europe/Berlin:20260301T170000",
    )
    found = schedule(tmp_path, event(*days, "RRULE:FREQ=DAILY;UNTIL=20260403T070000Z"))
    for day in ("2026-03-27", "2026-03-30", "2026-04-03"):
        assert on(found, f"{day}T08:59") is None
        assert on(found, f"{day}T09:00") == "bob"
        assert on(found, f"{day}T16:59") == "bob"
        assert on(found, f"{day}T17:00") is None
    # The last one begins at 07:00 UTC, which is 09:00 in summer; the rule says until then.
    assert on(found, "2026-04-04T09:00") is None


def test_exceptions_additions_and_moved_instances_hold(tmp_path: Path) -> None:
    found = schedule(
        tmp_path,
        event(
            *WEEKS,
            "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4",
            "EXDATE;TZID=Europe/Berlin:20260119T090000",
            "RDATE;TZID=Europe/Berlin:20260601T090000",
        ),
        event(
            "RECURRENCE-ID;TZID=Europe/Berlin:20260202T090000",
            "DTSTART;TZID=Europe/Berlin:20260203T090000",
            "DTEND;TZID=Europe/Berlin:20260204T090000",
            summary="ada",
        ),
    )
    assert on(found, "2026-01-20T12:00") is None
    assert on(found, "2026-02-02T12:00") is None
    assert on(found, "2026-02-03T12:00") == "ada"
    assert on(found, "2026-02-05T12:00") is None
    assert on(found, "2026-02-17T12:00") == "bob"
    assert on(found, "2026-03-03T12:00") is None
    assert on(found, "2026-06-02T12:00") == "bob"


def test_whole_days_are_days_of_the_schedule(tmp_path: Path) -> None:
    found = schedule(tmp_path, event("DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260107"))
    assert on(found, "2026-01-04T23:59") is None
    assert on(found, "2026-01-05T00:00") == "bob"
    assert on(found, "2026-01-06T23:59") == "bob"
    assert on(found, "2026-01-07T00:00") is None


def test_of_two_events_the_one_that_began_later_wins_and_the_shifts_agree(tmp_path: Path) -> None:
    inner = ("DTSTART;TZID=Europe/Berlin:20260106T120000", "DURATION:PT2H")
    found = schedule(tmp_path, event(*WEEKS), event(*inner, summary="ada", uid="2"))
    start, end = (
        instant(datetime.fromisoformat(day), BERLIN) for day in ("2026-01-05", "2026-01-13")
    )
    shifts = found.shifts(start, end)
    assert [one.user for one in shifts] == [None, "bob", "ada", "bob", None]
    assert {one.by for one in shifts if one.user} == {"rota"}
    assert all(
        found.on_call(one.start) == ((one.user, "rota") if one.user else None) for one in shifts
    )


def test_a_cancelled_event_is_nobody(tmp_path: Path) -> None:
    found = schedule(tmp_path, event(*WEEKS, "STATUS:CANCELLED"))
    assert on(found, "2026-01-06T12:00") is None


def test_what_yaml_cannot_hold_as_it_stands_travels_all_the_same(tmp_path: Path) -> None:
    odd = 'DESCRIPTION:"\\n #\u2028\u0085\U0001f514\u00e9: |'
    found = schedule(tmp_path, event(*WEEKS, odd))
    assert on(found, "2026-01-06T12:00") == "bob"


@pytest.mark.parametrize(
    ("calendar", "want"),
    [
        (file(event(*WEEKS, summary="eve")), 'events of nobody among the users: "eve"'),
        (file(event("DURATION:PT1H")), "without DTSTART"),
        (file(event(WEEKS[0])), "takes no time"),
        (file(event(*WEEKS, "RRULE:FREQ=HOURLY")), "more often than each day"),
        (file(event(*WEEKS, "RRULE:FREQ=DAILY;INTERVAL=0")), "INTERVAL below 1"),
        (file(event(*WEEKS, WEEKS[0])), "DTSTART twice"),
        (file(event(*WEEKS, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")), "never comes"),
        (file(event(*WEEKS, "RRULE:FREQ=WOBBLE")), "a bad RRULE"),
        (file(event(*WEEKS, "EXDATE:never")), "a bad EXDATE"),
        (file(event("DTSTART:then", "DURATION:PT1H")), "a bad DTSTART"),
        (file(event("DTSTART:00010101T000000Z", "DURATION:PT1H")), "not before 1970"),
        (file(event("DTSTART:20260101T000000Z", "DURATION:P999D")), "longer than a year"),
        (
            file(
                event(*WEEKS), event("RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T080000Z", *WEEKS)
            ),
            "THISANDFUTURE is not supported",
        ),
        ("BEGIN:VCALENDAR\r\nnonsense\r\n", "not an iCalendar file"),
        ("hello", 'no calendar can be read from "rota.ics"'),
    ],
)
def test_a_calendar_that_cannot_be_used_says_why_and_where(
    tmp_path: Path, calendar: str, want: str
) -> None:
    config, problems = loaded(tmp_path, calendar)
    assert config is None
    [problem] = problems
    assert problem.startswith("routes.yml:11: schedules[0].layers[0].icalendar: ")
    assert want in problem


def test_a_file_that_is_not_there_is_a_problem_with_its_name() -> None:
    _, problems = read(with_calendars(ROUTES, Path("/nowhere")), "routes.yml")
    assert 'no calendar can be read from "rota.ics"' in str(problems[0])


ZONE = """BEGIN:VTIMEZONE
TZID:Rota
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{offset}
TZOFFSETTO:{offset}
END:STANDARD
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("calendar", "why"),
    [
        (event("DTSTART;TZID=America:20260105T090000", "DURATION:PT1H"), "time zone that is none"),
        (event("DTSTART;TZID=No/Where:20260105T090000", "DURATION:PT1H"), 'zone "No/Where"'),
        (
            event(
                "DTSTART:20260105T090000", "DURATION:PT1H", "EXDATE;TZID=No/Where:20260106T090000"
            ),
            'zone "No/Where"',
        ),
        ("BEGIN:VTIMEZONE\nTZID:a\nTZID:b\nEND:VTIMEZONE\n", "not an iCalendar file"),
        ("BEGIN:VEVENT\nBEGIN:VTIMEZONE\nTZID:a\nEND:VEVENT\n", "not an iCalendar file"),
    ],
    ids=["a folder of zones", "unknown", "unknown of an exception", "two names", "end of another"],
)
def test_a_malformed_calendar_is_a_problem_and_no_crash(
    tmp_path: Path, calendar: str, why: str
) -> None:
    config, problems = loaded(tmp_path, file(calendar))
    assert config is None
    assert [why in one for one in problems] == [True]


def test_a_zone_that_a_calendar_defines_is_its_own(tmp_path: Path) -> None:
    shift = event("DTSTART;TZID=Rota:20260105T090000", "DTEND;TZID=Rota:20260105T100000")
    before = schedule(tmp_path, ZONE.format(offset="+0100"), shift)
    after = schedule(tmp_path, ZONE.format(offset="+0300"), shift)
    assert (on(before, "2026-01-05T09:30"), on(after, "2026-01-05T09:30")) == ("bob", None)
    assert on(after, "2026-01-05T07:30") == "bob"


START = datetime.fromisoformat("2020-01-29T09:30")


@given(
    st.sampled_from(
        ("DAILY", "WEEKLY", "WEEKLY;BYDAY=MO,SU", "WEEKLY;WKST=SU;BYDAY=SA,SU", "MONTHLY")
    ),
    st.integers(1, 5),
    st.sampled_from(("", ";BYHOUR=3,15", ";BYMONTH=2,7", ";BYSETPOS=-1;BYHOUR=3,15")),
    st.integers(2019, 2031),
    st.integers(1, 12),
)
def test_a_rule_that_is_asked_from_later_on_says_the_same(
    often: str, every: int, more: str, year: int, month: int
) -> None:
    rule = rrulestr(f"FREQ={often};INTERVAL={every}{more}", dtstart=START)
    first = START.replace(year=year, month=month, day=1)
    last = first.replace(year=year + 1)
    near = _near(rule, year, month)
    assert near.between(first, last, inc=True) == rule.between(first, last, inc=True)
    assert near._dtstart <= max(first, START)
    # The library walks from there: what began long ago costs no more than what began lately.
    assert often == "MONTHLY" or first - near._dtstart <= timedelta(weeks=2 * every)


def test_a_series_of_so_many_ends_where_it_did(tmp_path: Path) -> None:
    found = schedule(tmp_path, event(*WEEKS, "RRULE:FREQ=WEEKLY;COUNT=3"))
    assert [on(found, f"2026-01-{day:02}T10:00") for day in (5, 19, 25, 26)] == ["bob"] * 3 + [None]
    both = event(*WEEKS, "RRULE:FREQ=WEEKLY;COUNT=3;UNTIL=20261231T000000Z")
    assert on(schedule(tmp_path, both), "2026-01-26T10:00") is None
    _, problems = loaded(tmp_path, file(event(*WEEKS, "RRULE:FREQ=DAILY;COUNT=1001")))
    assert "COUNT above 1000: end it with UNTIL" in problems[0]
