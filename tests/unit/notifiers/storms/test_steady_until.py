"""The calendar in steps: between one step and the next nothing begins and nothing ends."""

from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.time_intervals import TimeInterval
from tests.unit.notifiers.scenario import Scenario

MINUTE, DAY = 60_000, 86_400_000
ranges = st.lists(
    st.tuples(st.integers(0, 1_440), st.integers(0, 1_440)).map(lambda pair: tuple(sorted(pair))),
    max_size=3,
).map(tuple)
intervals = st.builds(
    TimeInterval,
    times=st.none() | ranges,
    weekdays=st.none() | st.just(((1, 5),)),
    days_of_month=st.none() | st.just(((-3, -1), (1, 2))),
    location=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
instants = st.integers(1_760_000_000_000, 1_800_000_000_000)


@settings(max_examples=60, deadline=None)
@given(intervals, instants)
def test_nothing_begins_or_ends_within_a_step(interval: TimeInterval, at: int) -> None:
    held, until = interval.contains(at), interval.steady_until(at)
    assert at < until <= at + DAY
    for minute in range(at - at % MINUTE + MINUTE, until, MINUTE):
        assert interval.contains(minute) is held


def test_the_change_of_clocks_is_not_stepped_over() -> None:
    berlin = TimeInterval(times=((120, 180),), location="Europe/Berlin")
    before = 1_743_292_800_000
    seen = []
    at = before
    while at < before + DAY:
        seen.append(berlin.contains(at))
        at = berlin.steady_until(at)
    assert not any(seen)


def test_a_long_interval_costs_no_minutes() -> None:
    text = """
route:
  receiver: hook
  group_wait: 0s
  group_interval: 200d
  routes: [{matchers: [a="b"], mute_time_intervals: [winter]}]
receivers: [{name: hook, webhook_configs: [{url: 'http://x/'}]}]
time_intervals:
- {name: winter, time_intervals: [{months: ['11:12', '1:2'], location: Europe/Berlin}]}
suppression: tocsin
"""
    began = process_time()
    day = Scenario(text).fires(1, "up", a="b").until(150 * 86_400)
    assert process_time() - began < 1
    # The first minute of March in Berlin, after 14 November 2023.
    assert [at for at, _ in day.deliveries] == [(1_709_247_600_000 - 1_700_000_000_000) / 1_000]
