"""Rules that reach back beyond the raw windows decide the same, however their stage was cut.

Raw windows of two minutes make minutes out of hours; what is closed after five minutes stays.
"""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from processors import detector
from processors.partials import planning
from tests.laws.test_runtimes import newest, play
from tests.support.runtimes import Embedded, Make

RULES = """
groups:
  - name: often
    interval: 5s
    rules:
      - {alert: Grew, expr: "increase(requests[9m]) > 40", for: 10s}
      - {alert: Warm, expr: "avg_over_time(temperature[11m]) > 51.3"}
      - {alert: Will, expr: "predict_linear(temperature[8m], 60) > 60"}
      - {alert: Uneven, expr: "stddev_over_time(temperature[7m] offset 1m) > 20"}
  - name: slow
    interval: 30s
    rules:
      - {alert: Was, expr: "temperature offset 6m > 50"}
      - {alert: Rose, expr: "max_over_time(rate(requests[1m])[9m:1m]) > 2"}
"""
# What is recorded is appended when it is decided, so that other cuts make another log of it.
RECORDED = """
  - name: recorded
    interval: 5s
    rules:
      - {record: "warm:max", expr: "max_over_time(temperature[10m])"}
      - {alert: Recorded, expr: "avg_over_time(warm:max[6m]) > 80.7"}
"""

steps = st.lists(st.tuples(st.integers(1, 55), st.integers(0, 100)), min_size=20, max_size=45)
cuts = st.lists(st.integers(0, 140), max_size=8)


@pytest.fixture(autouse=True)
def _raw_windows_of_two_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "RAW_REACH", 120_000)
    monkeypatch.setattr(detector, "RAW_REACH", 120_000)


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps, cuts=cuts, partitions=st.integers(1, 3), crash=st.integers(-1, 400))
def test_cuts_crashes_and_partitions_change_no_decision(
    quick_runtime: Make,
    steps: Sequence[tuple[int, int]],
    cuts: Sequence[int],
    partitions: int,
    crash: int,
) -> None:
    calm, _ = play(Embedded, steps, 1, [], -1, RULES)
    again, _ = play(quick_runtime, steps, partitions, cuts, crash, RULES)
    lasting = {each for each in calm if each[0] < newest(steps)}  # type: ignore[operator]
    assert {each for each in again if each[0] < newest(steps)} == lasting  # type: ignore[operator]


def test_what_is_cut_everywhere_says_the_same_to_the_bit() -> None:
    heat = [(17 + number % 7, (number * 37) % 101) for number in range(60)]
    calm, told = play(Embedded, heat, 1, range(180), -1, RULES + RECORDED)
    names = {dict(each[1])["alertname"] for each in calm}  # type: ignore[call-overload]
    assert names == {"Grew", "Warm", "Will", "Uneven", "Recorded", "Was", "Rose"}
    for crash in (0, 57, 211, 430):
        again, told_again = play(Embedded, heat, 1, range(180), crash, RULES + RECORDED)
        assert again == calm
        assert told_again == told
