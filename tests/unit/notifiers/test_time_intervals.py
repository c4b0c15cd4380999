from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.time_intervals import Range, Ranges, TimeInterval, read_time_interval
from notifiers.yaml_reader import Reading, compose


def interval(text: str) -> tuple[TimeInterval, list[str]]:
    reading = Reading("r.yml")
    root = compose(text, reading)
    assert root is not None
    return read_time_interval(root), [str(problem) for problem in reading.problems]


def at(text: str, location: str = "UTC") -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(location))
    return int(moment.timestamp()) * 1_000


# Read of Alertmanager 0.34.2's own code: interval, moment (UTC), and whether it is inside.
@pytest.mark.parametrize(
    ("text", "moment", "want"),
    [
        ("times: [{start_time: 09:00, end_time: 17:00}]", "2024-05-01 09:00", True),
        ("times: [{start_time: 09:00, end_time: 17:00}]", "2024-05-01 08:59:59", False),
        ("times: [{start_time: 09:00, end_time: 17:00}]", "2024-05-01 16:59:59", True),
        ("times: [{start_time: 09:00, end_time: 17:00}]", "2024-05-01 17:00", False),
        ("times: [{start_time: '17:00', end_time: '24:00'}]", "2024-05-01 23:59:59", True),
        ("times: [{start_time: '17:00', end_time: '24:00'}]", "2024-05-02 00:00", False),
        ("times: []", "2024-05-01 09:00", False),
        ("times:", "2024-05-01 09:00", True),
        ("{}", "2024-05-01 09:00", True),
        ("weekdays: ['Monday:friday']", "2024-05-03 12:00", True),
        ("weekdays: ['Monday:friday']", "2024-05-04 12:00", False),
        ("weekdays: [sunday]", "2024-05-05 12:00", True),
        ("days_of_month: ['-1']", "2024-02-29 12:00", True),
        ("days_of_month: ['-1']", "2024-02-28 12:00", False),
        ("days_of_month: ['-3:-1']", "2023-02-26 12:00", True),
        ("days_of_month: ['-3:-1']", "2023-02-25 12:00", False),
        ("days_of_month: ['31']", "2024-04-30 12:00", False),
        ("days_of_month: ['29:31']", "2024-04-30 12:00", True),
        ("days_of_month: ['1:-1']", "2024-04-30 12:00", True),
        ("days_of_month: ['-31']", "2024-04-01 12:00", False),
        ("months: ['december', '1:MARCH']", "2024-12-01 00:00", True),
        ("months: ['december', '1:MARCH']", "2024-03-31 23:59", True),
        ("months: ['december', '1:MARCH']", "2024-04-01 00:00", False),
        ("months: ['13']", "2024-12-01 00:00", False),
        ("years: ['2020:2024']", "2024-12-31 23:59", True),
        ("years: ['2020:2024']", "2025-01-01 00:00", False),
        ("years: ['2024']\nlocation: Asia/Tokyo", "2024-12-31 15:00", False),
        ("weekdays: [monday]\nlocation: America/New_York", "2024-05-06 03:59", False),
        ("weekdays: [monday]\nlocation: America/New_York", "2024-05-06 04:00", True),
        ("weekdays: [monday]\nmonths: [june]", "2024-05-06 04:00", False),
    ],
)
def test_moments_are_in_or_out_as_alertmanager_says(text: str, moment: str, want: bool) -> None:
    found, problems = interval(text)
    assert not problems
    assert found.contains(at(moment)) is want


# Both clock changes of 2024 in Berlin: 02:00 to 03:00 is skipped in March, and twice in October.
@pytest.mark.parametrize(
    ("moment", "want"),
    [
        ("2024-03-31 00:59", False),
        ("2024-03-31 01:00", False),
        ("2024-10-26 23:59", False),
        ("2024-10-27 00:00", True),
        ("2024-10-27 01:59", True),
        ("2024-10-27 02:00", False),
    ],
)
def test_the_clock_on_the_wall_holds_when_it_is_changed(moment: str, want: bool) -> None:
    text = "times: [{start_time: '02:00', end_time: '03:00'}]\nlocation: Europe/Berlin"
    assert interval(text)[0].contains(at(moment)) is want


def test_the_last_day_of_a_month_that_loses_an_hour_is_its_last() -> None:
    found, _ = interval("days_of_month: ['-1']\nlocation: Europe/Berlin")
    assert found.contains(at("2024-03-31 12:00"))
    assert not found.contains(at("2024-03-30 12:00"))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("times: [{start_time: 9:00, end_time: '17:00'}]", 'parse timestamp "9:00"'),
        ("times: [{start_time: '09:00', end_time: '24:01'}]", 'parse timestamp "24:01"'),
        ("times: [{start_time: '09:00'}]", "both start and end times must be provided"),
        ("times: [{start_time: '', end_time: '09:00'}]", "both start and end times"),
        (
            "times: [{start_time: '22:00', end_time: '06:00'}]",
            "start time cannot be equal or greater than end time: split what spans midnight",
        ),
        ("times: [{start_time: '06:00', end_time: '06:00'}]", "cannot be equal"),
        (
            "times: [{start_time: '06:00', end_time: '07:00', start: '1'}]",
            'times[0].start: unknown key: did you mean "start_time"?',
        ),
        ("times: 3", "a list is wanted here"),
        ("weekdays: [funday]", '"funday" is not a valid weekday'),
        ("weekdays: ['1']", '"1" is not a valid weekday'),
        ("weekdays: ['friday:monday']", "start day cannot be before end day"),
        ("weekdays: ['monday:tuesday:friday']", "couldn't parse range"),
        ("days_of_month: ['0']", "0 is not a valid day of the month: out of range"),
        ("days_of_month: ['32']", "out of range"),
        ("days_of_month: ['-32:1']", "out of range"),
        ("days_of_month: ['-1:1']", "end day must be negative if start day is negative"),
        ("days_of_month: ['5:1']", "end day 1 is always before start day 5"),
        ("days_of_month: ['30:-1']", "end day -1 is always before start day 30"),
        ("days_of_month: ['1_0']", "is not a valid day of the month"),
        ("months: [smarch]", '"smarch" is not a valid month'),
        ("months: ['june:may']", "end month may is before start month june"),
        ("years: ['2025:2024']", "end year 2024 is before start year 2025"),
        ("years: [soon]", '"soon" is not a valid year'),
        ("location: Mars/Olympus", 'unknown time zone "Mars/Olympus"'),
        ("location: ../etc/passwd", "unknown time zone"),
        ("location: America", "unknown time zone"),
        ("weekday: [monday]", 'unknown key: did you mean "weekdays"?'),
    ],
)
def test_what_alertmanager_refuses_is_refused_in_words(text: str, want: str) -> None:
    _, problems = interval(text)
    assert len(problems) == 1, problems
    assert want in problems[0]


def test_all_problems_are_told_at_once_each_with_its_line() -> None:
    text = "weekdays:\n- monday\n- funday\nmonths: ['13:1']\ntimes:\n- {start_time: x, end_time: y}"
    assert interval(text)[1] == [
        'r.yml:6: times[0].start_time: couldn\'t parse timestamp "x": write HH:MM, up to 24:00',
        'r.yml:6: times[0].end_time: couldn\'t parse timestamp "y": write HH:MM, up to 24:00',
        'r.yml:3: weekdays: "funday" is not a valid weekday',
        "r.yml:4: months: end month january is before start month 13",
    ]


def ranges(low: int, high: int) -> st.SearchStrategy[Ranges]:
    one = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted_pair)
    return st.none() | st.lists(one, max_size=3).map(tuple)


def sorted_pair(pair: Range) -> Range:
    return min(pair), max(pair)


DAYS = st.none() | st.lists(
    st.tuples(
        st.integers(-31, 31).filter(bool),
        st.integers(-31, 31).filter(bool),
    ),
    max_size=3,
).map(tuple)
ZONES = st.sampled_from(["UTC", "", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"])


@given(
    st.builds(
        TimeInterval,
        times=ranges(0, 1_440),
        weekdays=ranges(0, 6),
        days_of_month=DAYS,
        months=ranges(1, 12),
        years=ranges(2022, 2026),
        location=ZONES,
    ),
    st.integers(at("2022-01-01"), at("2027-01-01")),
)
def test_a_moment_is_inside_when_each_field_lists_it(span: TimeInterval, moment: int) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    utc = epoch + timedelta(milliseconds=moment)
    local = utc.astimezone(ZoneInfo(span.location or "UTC"))
    midnight = local.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    minute = (local.replace(tzinfo=None) - midnight) // timedelta(minutes=1)
    length = monthrange(local.year, local.month)[1]
    calendar = list(range(1, length + 1))

    def listed(given: Ranges, value: int) -> bool:
        return given is None or any(value in range(first, last + 1) for first, last in given)

    def names(first: int, last: int) -> bool:
        """Whether a day is at or after `first` and at or before `last`, each from its own end."""
        from_front, from_back = calendar.index(local.day) + 1, calendar.index(local.day) - length
        after = from_front >= first if first > 0 else from_back >= first
        return after and (from_front <= last if last > 0 else from_back <= last)

    want = (
        (span.times is None or any(minute in range(start, end) for start, end in span.times))
        and listed(span.weekdays, (local.weekday() + 1) % 7)
        and (span.days_of_month is None or any(names(*pair) for pair in span.days_of_month))
        and listed(span.months, local.month)
        and listed(span.years, local.year)
    )
    assert span.contains(moment) is want
