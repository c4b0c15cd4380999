"""What is due, and when to look again."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors.schedule import PROMPT, Due, Schedule, offset


def test_every_source_is_first_read_within_two_seconds_of_the_start() -> None:
    schedule = Schedule({f"s{n}": 60_000 for n in range(50)}, now=1_000_000)
    assert len(schedule.take(1_000_000 + PROMPT)) == 50


def test_after_that_it_ticks_at_multiples_of_its_interval_plus_its_offset() -> None:
    schedule = Schedule({"host": 10_000}, now=0, seed="web-1")
    schedule.take(PROMPT)
    ticks = []
    for _ in range(5):
        at = schedule.next()
        assert at is not None
        ticks.append(at)
        assert schedule.take(at) == (Due("host"),)
    assert {tick % 10_000 for tick in ticks} == {offset("web-1", "host", 10_000)}
    assert [b - a for a, b in pairwise(ticks)] == [10_000] * 4


def test_a_fleet_spreads_over_the_interval() -> None:
    offsets = [offset(f"host-{n}", "host", 10_000) for n in range(1_000)]
    for tenth in range(10):
        assert 50 < sum(each // 1_000 == tenth for each in offsets) < 150


def test_the_offset_is_the_same_after_every_restart() -> None:
    assert offset("web-1", "host", 10_000) == 1_898


def test_ticks_missed_in_a_pause_are_counted_and_come_once() -> None:
    schedule = Schedule({"host": 10_000}, now=0)
    schedule.take(PROMPT)
    at = schedule.next()
    assert at is not None
    assert schedule.take(at + 35_000) == (Due("host", missed=3),)
    assert schedule.take(at + 35_000) == ()


def test_nothing_is_due_without_sources() -> None:
    schedule = Schedule({}, now=0)
    assert schedule.take(10**9) == ()
    assert schedule.next() is None


@given(
    interval=st.integers(1, 100_000),
    start=st.integers(0, 10**12),
    pauses=st.lists(st.integers(0, 500_000), max_size=30),
)
def test_two_reads_are_never_closer_than_half_an_interval(
    interval: int, start: int, pauses: list[int]
) -> None:
    schedule = Schedule({"s": interval}, now=start)
    now, read, ticks = start, [], 0
    for pause in pauses:
        now += pause
        due = schedule.take(now)
        assert len(due) <= 1
        if due:
            read.append(now)
            ticks += 1 + due[0].missed
        following = schedule.next()
        assert following is not None
        assert now < following <= now + 1.5 * interval + 1
    assert all((b - a) * 2 >= interval for a, b in pairwise(read))
    assert ticks <= (now - start) // interval + 2
