"""What is exported and read again says the same."""

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.oncall.icalendar_reader import known_as, read_calendar
from notifiers.oncall.icalendar_writer import calendar_of
from notifiers.oncall.schedule import DAY, HOUR, Layer, Override, Rotation, Schedule, instant

START = instant(datetime.fromisoformat("2026-03-20"), "UTC")
EMAILS = {"ada": "ada@example.org", "bob, the 2nd": "", "kim; ü": "kim@example.org"}
USERS = st.lists(st.sampled_from([*EMAILS]), min_size=1, max_size=3).map(tuple)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    day, hour = draw(st.integers(10, 28)), draw(st.integers(0, 23))
    local = datetime.fromisoformat(f"2026-03-{day}T{hour:02}:00")
    every = draw(st.sampled_from([HOUR * 7, DAY, 7 * DAY]))
    where = draw(st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]))
    return Layer("layer", Rotation(draw(USERS), every, local, where))


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    begin = START + draw(st.integers(0, 300)) * HOUR
    return Override(
        draw(st.sampled_from([*EMAILS])), begin, begin + draw(st.integers(1, 99)) * HOUR
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(layers(), max_size=2).map(tuple),
    st.lists(overrides(), max_size=3).map(tuple),
    st.integers(1, 20),
)
def test_an_exported_schedule_read_again_has_the_same_people(
    some: tuple[Layer, ...], taken: tuple[Override, ...], days: int
) -> None:
    schedule = Schedule("primary", "Europe/Berlin", some, taken)
    end = START + days * DAY
    shifts = schedule.shifts(START, end)
    text = calendar_of(schedule, shifts, EMAILS, START).decode()
    turns = read_calendar(text, "UTC", known_as(EMAILS))
    again = Schedule("again", "UTC", (Layer("calendar", turns),))
    merged = [(one.user, one.start, one.end) for one in again.shifts(START, end)]
    want: list[tuple[str | None, int, int]] = []
    for one in shifts:
        if want and want[-1][0] == one.user:
            want[-1] = (one.user, want[-1][1], one.end)
        else:
            want.append((one.user, one.start, one.end))
    assert merged == want


def test_a_shift_keeps_its_name_from_one_export_to_the_next() -> None:
    layer = Layer("l", Rotation(("ada",), DAY, datetime.fromisoformat("2026-03-01")))
    schedule = Schedule("primary", "UTC", (layer,), (Override("kim; ü", START, START + HOUR),))
    shifts = schedule.shifts(START - HOUR, START + DAY)
    one, other = (calendar_of(schedule, shifts, EMAILS, at) for at in (START, START + DAY))
    names = [line for line in one.splitlines() if line.startswith(b"UID")]
    assert names == [line for line in other.splitlines() if line.startswith(b"UID")]
    assert len(set(names)) == len(names) == 3
