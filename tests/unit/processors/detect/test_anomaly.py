"""Anomalies: what is usual is learned, what is not is told with its numbers."""

from typing import Any

import numpy as np
import pytest

from processors.rules.file import BadRules
from tests.support.detecting import facts, rule_of, series
from tests.support.flow import Flow, Value, Watch

HOUR, DAY = 3600, 86_400
X = series("x", i="a")


def noisy(level: float, *bursts: tuple[float, float, float]) -> Value:
    """A level with noise of ±4 that is the same each time, and more of it in (start, end, more)."""

    def value(at: np.ndarray) -> np.ndarray:
        noise = (np.round(at).astype(np.int64) * 2654435761 % 1000 / 1000 - 0.5) * 8
        more = sum(np.where((at > start) & (at <= end), size, 0.0) for start, end, size in bursts)
        return level + noise + more

    return value


def watch(value: Value, scrape: float = 15, **options: Any) -> Watch:
    return Watch(rule_of("anomaly", expr="x", **options), Flow({X: value}, scrape))


def odd(watch: Watch, start: float, end: float, step: float = 60) -> list[float]:
    return [at for at, found in watch.run(start, end, step) if found.findings]


@pytest.mark.parametrize("method", ["robust", "ewma"])
def test_a_burst_is_found_as_long_as_it_lasts(method: str) -> None:
    watching = watch(noisy(100, (2 * HOUR, 2 * HOUR + 600, 50)), method=method)
    assert odd(watching, 0, 3 * HOUR) == [2 * HOUR + 60.0 * i for i in range(1, 11)]


@pytest.mark.parametrize("method", ["robust", "ewma"])
def test_it_finds_nothing_before_it_has_seen_enough(method: str) -> None:
    watching = watch(noisy(100, (20 * 60, HOUR, 50)), method=method, warm_up=30)
    assert odd(watching, 0, 29 * 60) == []


@pytest.mark.parametrize("method", ["robust", "ewma"])
def test_a_new_level_becomes_usual(method: str) -> None:
    watching = watch(noisy(100, (2 * HOUR, DAY, 50)), method=method)
    found = odd(watching, 0, 6 * HOUR)
    assert found[0] == 2 * HOUR + 60
    assert 2 * HOUR + 60 < found[-1] < 4 * HOUR


@pytest.mark.parametrize(
    ("direction", "up", "down"), [("up", True, False), ("down", False, True), ("both", True, True)]
)
def test_the_direction_that_is_asked_for(direction: str, up: bool, down: bool) -> None:
    for size, told in ((50, up), (-50, down)):
        burst = noisy(100, (2 * HOUR, 2 * HOUR + 600, size))
        assert bool(odd(watch(burst, direction=direction), 0, 2 * HOUR + 600)) is told


def test_it_explains_itself() -> None:
    watching = watch(lambda at: np.where(at <= HOUR, np.round(at / 60) % 3, 50.0))
    found = dict(watching.run(0, HOUR + 60, 60))[HOUR + 60]
    (finding,) = found.findings
    # Of 0, 1, 2 by turns the median is 1, the median distance from it 1: a spread of 1 / 0.6745.
    assert finding.value == 50
    assert facts(finding) == {
        "expected": "1 ± 5.189",
        "observed": "50",
        "deviation": "49: 33.05 times its usual spread of 1.483",
    }


def test_a_small_change_of_what_never_changed_is_none() -> None:
    def step(size: float) -> Value:
        return lambda at: np.where(at <= HOUR, 100.0, 100.0 + size)

    assert odd(watch(step(5)), 0, HOUR + 120) == []
    assert odd(watch(step(50)), 0, HOUR + 120) != []
    assert odd(watch(step(50), min_deviation=60), 0, HOUR + 120) == []


@pytest.mark.parametrize("method", ["robust", "ewma"])
def test_what_comes_every_day_is_expected_by_a_season(method: str) -> None:
    def busy(at: np.ndarray) -> np.ndarray:
        return noisy(100)(at) + np.where(at % DAY // HOUR == 9, 80.0, 0.0)

    options = {"method": method, "every": "5m", "warm_up": 6}
    plain = watch(busy, 300, **options)
    seasonal = watch(busy, 300, **options, season="day")
    busy_hours = [3 * DAY + 9 * HOUR, 3 * DAY + 10 * HOUR]
    assert [at for at in odd(plain, 0, busy_hours[1], 300) if at >= busy_hours[0]] != []
    assert [at for at in odd(seasonal, 0, busy_hours[1], 300) if at >= busy_hours[0]] == []


def test_a_season_finds_the_quiet_hour_that_should_have_been_busy() -> None:
    def busy(at: np.ndarray) -> np.ndarray:
        here = (at % DAY // HOUR == 9) & (at < 3 * DAY)
        return noisy(100)(at) + np.where(here, 80.0, 0.0)

    watching = watch(busy, 300, every="5m", warm_up=6, season="day")
    nine = 3 * DAY + 9 * HOUR
    assert [at for at in odd(watching, 0, nine + HOUR, 300) if at >= nine] != []


def test_the_season_is_the_zones() -> None:
    def busy(at: np.ndarray) -> np.ndarray:
        return noisy(100)(at) + np.where((at + 1800) % DAY // HOUR == 9, 80.0, 0.0)

    def later(zone: str) -> list[float]:
        watching = watch(busy, 300, every="5m", warm_up=6, season="day", timezone=zone)
        return [at for at in odd(watching, 0, 4 * DAY, 300) if at >= 3 * DAY]

    assert later("Asia/Kolkata") == []
    assert later("UTC") != []


def test_an_alert_is_held_while_its_series_says_nothing() -> None:
    def gone(at: np.ndarray) -> np.ndarray:
        return np.where(at > 2 * HOUR + 300, np.nan, noisy(100, (2 * HOUR, DAY, 50))(at))

    watching = watch(gone, hold="10m")
    told = dict(watching.run(0, 3 * HOUR, 60))
    # The newest sample counts for five minutes; then it is held for ten.
    assert [at for at, found in told.items() if found.findings][-1] == 2 * HOUR + 540
    held = [at for at, found in told.items() if found.held]
    assert (held[0], held[-1]) == (2 * HOUR + 600, 2 * HOUR + 1200)
    assert told[held[0]].held == {(("i", "a"),)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expr": "rate(x)"}, "anomaly.expr: could not use expression"),
        ({"method": "best"}, "anomaly.method: Input should be 'robust' or 'ewma'"),
        ({"window": "14d"}, "'window' has more than 500 values: raise 'every'"),
        ({"window": "2m"}, "'window' has fewer than 5 values: lower 'every'"),
        ({"warm_up": 61}, "'warm_up' is more than the 60 values of 'window'"),
        ({"timezone": "Mars"}, "anomaly.timezone: unknown time zone: write for example Europe"),
        ({"treshold": 3}, "unknown key 'treshold'"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(options: Any, message: str) -> None:
    with pytest.raises(BadRules) as caught:
        rule_of("anomaly", **{"expr": "x", **options})
    assert message in str(caught.value)
