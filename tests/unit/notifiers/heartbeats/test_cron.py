"""When a schedule comes next, also where clocks change."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.heartbeats.cron import check, following, location
from notifiers.heartbeats.definition import in_words


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "wanted"),
    [
        ("0 2 * * *", "UTC", "2026-01-01T00:00", "2026-01-01T02:00"),
        ("0 2 * * *", "UTC", "2026-01-01T02:00", "2026-01-02T02:00"),
        ("0 2 * * *", "UTC", "2026-01-01T02:00:00.5", "2026-01-02T02:00"),
        ("0 2 * * *", "UTC", "2026-01-01T01:59:59.9", "2026-01-01T02:00"),
        ("0 9 * * MON-FRI", "Europe/Berlin", "2026-01-02T12:00", "2026-01-05T08:00"),
        # Half past two does not exist on 29 March in Berlin: Debian's cron runs it at three.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        # It comes twice on 25 October, and the job runs once.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_the_next_instant(expression: str, zone: str, after: str, wanted: str) -> None:
    assert following(expression, zone, ms(after)) == ms(wanted)


@given(
    st.integers(ms("2025-01-01"), ms("2027-01-01")),
    st.sampled_from(["*/7 * * * *", "15 */6 * * *", "0 3 1 * *", "5 4 * * SUN"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_it_lies_ahead_and_following_goes_forward(after: int, expression: str, zone: str) -> None:
    first = following(expression, zone, after)
    assert first > after
    assert following(expression, zone, first) > first
    assert following(expression, zone, first - 1) == first


@pytest.mark.parametrize(
    "bad", ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "a b c d e", "0 " * 150]
)
def test_what_is_no_schedule_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"cron expression|ever comes"):
        check(bad)


def test_the_machines_own_zone_is_none() -> None:
    with pytest.raises(ValueError, match="its own Local"):
        location("Local")
    with pytest.raises(ValueError, match="unknown time zone"):
        location("Nowhere/Else")


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (0, "0s"),
        (500, "500ms"),
        (61_000, "1m1s"),
        (93_600_000, "26h"),
        (172_800_000, "2d"),
        (180_061_000, "2d2h"),
    ],
)
def test_durations_are_short(duration: int, words: str) -> None:
    assert in_words(duration) == words
