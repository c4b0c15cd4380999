from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.time_intervals import TimeInterval
from notifiers.windows.spans import HORIZON, Repetition, Span, calendar_spans, joined
from notifiers.windows.window import Window, WindowKind, window_of
from schemas.windows import Calendar, Repeat
from tests.unit.notifiers.scenario import START, seconds
from tests.unit.notifiers.windows.making import HOUR, wish

BERLIN = "Europe/Berlin"
ZONES = ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata"]
MINUTE = 60_000


def at(text: str) -> int:
    """An instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


def shown(spans: list[Span]) -> list[str]:
    return [
        " ".join(
            datetime.fromtimestamp(one / 1_000, UTC).strftime("%m-%d %H:%M")
            for one in (span.start, span.end)
        )
        for span in spans
    ]


def first(window: Window, since: str, count: int) -> list[str]:
    return shown(list(window.next_spans(at(since), count)))


def tuesdays() -> Window:
    rule = Repeat(weekdays=(2,), minute=120, length=2 * HOUR, location=BERLIN)
    return window_of(wish(-(10**8), None, repeats=(rule,)))


def test_every_tuesday_at_two_is_two_by_the_clock_on_the_wall_all_year() -> None:
    assert first(tuesdays(), "2026-03-20", 3) == [
        "03-24 01:00 03-24 03:00",
        "03-31 00:00 03-31 02:00",
        "04-07 00:00 04-07 02:00",
    ]
    assert first(tuesdays(), "2026-10-19", 2) == [
        "10-20 00:00 10-20 02:00",
        "10-27 01:00 10-27 03:00",
    ]


def test_a_repetition_that_begins_in_the_hole_or_the_double_hour_lasts_its_whole_length() -> None:
    rule = Repeat(minute=150, length=HOUR, location=BERLIN)
    daily = window_of(wish(-(10**8), None, repeats=(rule,)))
    assert first(daily, "2026-03-29T00:00", 1) == ["03-29 01:30 03-29 02:30"]
    assert first(daily, "2026-10-25T00:00", 1) == ["10-25 00:30 10-25 01:30"]


def test_a_calendar_skips_the_missing_hour_and_holds_twice_in_the_double_one() -> None:
    night = Calendar(times=((150, 180),), location=BERLIN)
    window = window_of(wish(-(10**8), None, calendars=(night,)))
    assert first(window, "2026-03-28T12:00", 1) == ["03-30 00:30 03-30 01:00"]
    assert first(window, "2026-10-24T12:00", 2) == [
        "10-25 00:30 10-25 01:00",
        "10-25 01:30 10-25 02:00",
    ]


def test_what_touches_at_midnight_is_one_span() -> None:
    weekend = Calendar(weekdays=((6, 6),))
    sunday = Calendar(weekdays=((0, 0),), times=((0, 360),))
    window = window_of(wish(-(10**8), None, calendars=(weekend, sunday)))
    assert first(window, "2026-06-03", 1) == ["06-06 00:00 06-07 06:00"]


def test_the_last_instant_cuts_a_span_and_ends_all() -> None:
    rule = Repeat(minute=0, length=2 * HOUR)
    window = window_of(
        wish(-(10**8), None, repeats=(rule,)).model_copy(update={"ends_at": at("2026-01-02T01:00")})
    )
    assert first(window, "2026-01-01T00:30", 9) == [
        "01-01 00:00 01-01 02:00",
        "01-02 00:00 01-02 01:00",
    ]
    assert not window.holds(at("2026-01-02T01:00"))


def test_a_window_that_always_holds_is_looked_at_again_at_the_horizon() -> None:
    window = window_of(wish(0, None, calendars=(Calendar(),)))
    assert window.changes_after(START) == START + HORIZON
    assert window.holds(START + HORIZON)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "has an end"),
        ({"ends_at": seconds(-5)}, "not after the start"),
        ({"timeout": 5, "repeats": [{"minute": 1, "length": 1}]}, "no calendar"),
        ({"timeout": 86_400_001}, "after 24h"),
        ({"starts_at": 2**53, "calendars": [{}]}, "the years"),
        ({"starts_at": -1, "timeout": 5}, "the years"),
        ({"ends_at": 2**53}, "the years"),
        ({"calendars": [{"location": "Mars/Olympus"}]}, "unknown time zone"),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        window_of(wish(0, None, **fields))


intervals = st.builds(
    TimeInterval,
    times=st.none()
    | st.lists(
        st.tuples(st.integers(0, 1_439), st.integers(1, 1_440)).filter(lambda t: t[0] < t[1]),
        max_size=2,
    ).map(tuple),
    weekdays=st.none() | st.sampled_from([((1, 5),), ((0, 0), (6, 6))]),
    days_of_month=st.none() | st.sampled_from([((1, 7),), ((-7, -1),), ((25, 31),)]),
    months=st.none() | st.sampled_from([((3, 4),), ((10, 11),)]),
    location=st.sampled_from(ZONES),
)
around = st.sampled_from(
    [at(f"2026-{day}") for day in ("03-06", "03-27", "04-03", "10-23", "10-30")]
)


@settings(max_examples=60, deadline=None)
@given(intervals, around, st.integers(0, 7 * 1_440))
def test_the_spans_of_a_calendar_are_the_minutes_that_it_contains(
    interval: TimeInterval, begin: int, minutes: int
) -> None:
    since = begin + minutes * MINUTE
    end = since + 4 * 24 * HOUR
    spans = []
    for span in joined([calendar_spans(interval, since)], since):
        if span.start >= end:
            break
        spans.append(span)
    for instant in range(since, end, 10 * MINUTE):
        held = any(span.start <= instant < span.end for span in spans)
        assert held is interval.contains(instant), instant


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Repetition,
        weekdays=st.sampled_from([(), (0,), (1, 3)]),
        minute=st.integers(0, 1_439),
        length=st.integers(1, 9 * 24 * 60).map(lambda minutes: minutes * MINUTE),
        location=st.sampled_from(ZONES),
    ),
    around,
)
def test_a_repetition_contains_what_its_spans_hold(rule: Repetition, begin: int) -> None:
    spans = list(islice(rule.spans(begin), 20))
    for instant in range(begin, begin + 3 * 24 * HOUR, 17 * MINUTE):
        held = any(span.start <= instant < span.end for span in spans)
        assert held is rule.contains(instant)


def test_kinds() -> None:
    assert tuesdays().kind is WindowKind.RECURRING
    assert window_of(wish(0, 5)).kind is WindowKind.ONCE
    assert window_of(wish(0, None, timeout=5)).kind is WindowKind.DEPLOY
