from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.oncall.schedule import DAY, HOUR, Layer, Override, Rotation, Schedule, Shift
from notifiers.time_intervals import TimeInterval

MINUTE = 60_000


def at(text: str) -> int:
    """UTC, in ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def local(text: str) -> datetime:
    """A time of the wall clock, whatever the zone."""
    return datetime.fromisoformat(text)


def weekly(location: str) -> Schedule:
    rotation = Rotation(("ada", "bob"), 7 * DAY, local("2026-03-23T09:00"), location)
    return Schedule("primary", location, (Layer("weekly", rotation),))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2026-03-23T07:59", None),
        ("2026-03-23T08:00", "ada"),
        # Berlin's clock goes on by an hour on 29 March: nine o'clock is one hour earlier in UTC.
        ("2026-03-30T06:59", "ada"),
        ("2026-03-30T07:00", "bob"),
        ("2026-04-06T06:59", "bob"),
        ("2026-04-06T07:00", "ada"),
        # And back on 25 October.
        ("2026-10-26T07:59", "ada"),
        ("2026-10-26T08:00", "bob"),
    ],
)
def test_a_hand_over_stays_at_its_local_time(text: str, want: str | None) -> None:
    found = weekly("Europe/Berlin").on_call(at(text))
    assert (None if found is None else found[0]) == want


def test_shifts_of_hours_are_real_hours_over_a_change_of_the_clock() -> None:
    rotation = Rotation(("a", "b"), 12 * HOUR, local("2026-03-28T20:00"), "Europe/Berlin")
    schedule = Schedule("s", "Europe/Berlin", (Layer("half", rotation),))
    shifts = schedule.shifts(at("2026-03-28T19:00"), at("2026-03-30T07:00"))
    assert [shift.end - shift.start for shift in shifts] == [12 * HOUR] * 3


def test_a_day_shift_is_an_hour_shorter_in_spring() -> None:
    rotation = Rotation(("a", "b"), DAY, local("2026-03-28T00:00"), "Europe/Berlin")
    schedule = Schedule("s", "Europe/Berlin", (Layer("day", rotation),))
    shifts = schedule.shifts(at("2026-03-27T23:00"), at("2026-03-30T22:00"))
    assert [shift.end - shift.start for shift in shifts] == [DAY, DAY - HOUR, DAY]


def test_a_hand_over_in_the_hour_that_is_skipped_still_happens() -> None:
    rotation = Rotation(("a", "b"), DAY, local("2026-03-28T02:30"), "Europe/Berlin")
    schedule = Schedule("s", "Europe/Berlin", (Layer("day", rotation),))
    edges = [shift.start for shift in schedule.shifts(at("2026-03-28T02:00"), at("2026-03-31"))]
    assert edges[1:] == [at("2026-03-29T01:30"), at("2026-03-30T00:30")]


def test_the_higher_layer_wins_where_it_has_somebody_and_an_override_over_all() -> None:
    night = TimeInterval(times=((0, 480),), location="UTC")
    start = local("2026-01-01T00:00")
    schedule = Schedule(
        "s",
        "UTC",
        (
            Layer("base", Rotation(("ada",), DAY, start)),
            Layer("night", Rotation(("bob",), DAY, start), (night,)),
        ),
        (Override("eve", at("2026-01-02T04:00"), at("2026-01-02T10:00")),),
    )
    assert schedule.shifts(at("2026-01-02"), at("2026-01-03")) == [
        Shift(at("2026-01-02"), at("2026-01-02T04:00"), "bob", "night"),
        Shift(at("2026-01-02T04:00"), at("2026-01-02T10:00"), "eve", "override"),
        Shift(at("2026-01-02T10:00"), at("2026-01-03"), "ada", "base"),
    ]


def test_a_gap_is_found() -> None:
    work = TimeInterval(times=((540, 1_020),), weekdays=((1, 5),), location="Europe/Berlin")
    rotation = Rotation(("ada",), DAY, local("2026-01-05T00:00"), "Europe/Berlin")
    schedule = Schedule("s", "Europe/Berlin", (Layer("work", rotation, (work,)),))
    friday = schedule.gaps(at("2026-03-27T08:00"), at("2026-03-30T08:00"))
    # Over the weekend on which the clock goes on: until nine in Berlin, which is seven in UTC.
    assert friday == [Shift(at("2026-03-27T16:00"), at("2026-03-30T07:00"), None)]


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
begins = st.sampled_from([local("2026-03-05T02:30"), local("2026-10-20T09:15")])


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any schedule near a change of the clock."""
    location, start = draw(zones), draw(begins)
    layers = []
    for number in range(draw(st.integers(1, 3))):
        every = draw(st.sampled_from([DAY, 7 * DAY, 12 * HOUR, 5 * HOUR, 3 * DAY]))
        users = tuple(draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3)))
        spans = draw(
            st.sampled_from(
                [(), (TimeInterval(times=((120, 190), (600, 1440)), location=location),)]
            )
        )
        layers.append(Layer(f"layer {number}", Rotation(users, every, start, location), spans))
    first = at("2026-03-08T05:00")
    override = Override("eve", first, first + draw(st.integers(1, 2_000)) * MINUTE)
    return Schedule("s", location, tuple(layers), draw(st.sampled_from([(), (override,)])))


@settings(max_examples=60, deadline=None)
@given(schedules(), st.integers(0, 260 * 24), st.integers(1, 72))
def test_shifts_say_of_every_minute_what_on_call_says(
    schedule: Schedule, hour: int, hours: int
) -> None:
    start = at("2026-03-05") + hour * HOUR
    end = start + hours * HOUR
    shifts = schedule.shifts(start, end)
    assert [shifts[0].start, shifts[-1].end] == [start, end]
    assert all(one.end == two.start for one, two in pairwise(shifts))
    where = iter(shifts)
    shift = next(where)
    for minute in range(start, end, 5 * MINUTE):
        while minute >= shift.end:
            shift = next(where)
        assert (shift.user, shift.by) == (schedule.on_call(minute) or (None, ""))


def test_a_turn_is_the_shift_that_holds_the_instant() -> None:
    rotation = Rotation(("a", "b", "c"), DAY, local("2026-03-01T09:00"), "America/New_York")
    begin = rotation.handed_over(0)
    for hour in range(24 * 60):
        instant = begin + hour * HOUR
        turn = rotation.turn(instant)
        assert turn is not None
        assert rotation.handed_over(turn) <= instant < rotation.handed_over(turn + 1)
    assert rotation.turn(begin - 1) is None
    assert timedelta(milliseconds=rotation.handed_over(30) - begin) == timedelta(days=30, hours=-1)
