"""What every detector that learns promises: cuts and the order of series change nothing."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.promql.labels import Labels
from tests.support.detecting import rule_of, series
from tests.support.flow import Flow, Value, Watch, counter

HOUR, DAY = 3600, 86_400
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "robust": ("anomaly", {"expr": "x", "every": "5m", "warm_up": 5}),
    "robust by day": (
        "anomaly",
        {"expr": "x", "window": "2h", "every": "10m", "warm_up": 5, "season": "day"},
    ),
    "ewma by day": (
        "anomaly",
        {"expr": "x", "method": "ewma", "every": "5m", "warm_up": 5, "season": "day"},
    ),
    "forecast": (
        "forecast",
        {"expr": "x", "below": 0, "horizon": "1h", "window": "1h", "points": 12, "min_points": 5},
    ),
    "spike": (
        "spike",
        {"bad": "sum by (i) (c)", "total": "sum by (i) (t)", "warm_up": "1h", "min_events": 10},
    ),
}


def restless(seed: int, number: int) -> Value:
    """A series of steps, with gaps in which nothing is known."""
    rng = np.random.default_rng((seed, number))
    levels = rng.integers(-10, 100, 64) + rng.random(64)
    known = rng.random(64) > 0.15

    def value(at: np.ndarray) -> np.ndarray:
        place = (at // 1200).astype(int) % 64
        noise = np.round(at).astype(np.int64) * 2654435761 % 1000 / 100
        return np.where(known[place], levels[place] + noise, np.nan)

    return value


def flow(seed: int, turned: bool = False) -> Flow:
    found: dict[Labels, Value] = {}
    for number in range(4):
        found[series("x", i=str(number))] = restless(seed, number)
        rates = np.random.default_rng((seed, number)).integers(0, 20, 10) / 10
        phases = [(-DAY * 1.0, 0.0), *((2400.0 * i, float(r)) for i, r in enumerate(rates))]
        found[series("c", i=str(number))] = counter(*phases)
        found[series("t", i=str(number))] = counter((-DAY, 10))
    items = list(found.items())
    return Flow(dict(reversed(items) if turned else items), 60)


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.sets(st.integers(1, 99), max_size=8))
def test_a_cut_anywhere_changes_nothing(name: str, seed: int, cuts: set[int]) -> None:
    kind, options = RULES[name]
    rule = rule_of(kind, **options)
    whole, cut = Watch(rule, flow(seed)), Watch(rule, flow(seed))
    for place in range(100):
        if place in cuts:
            cut.restart()
        assert cut.at(place * 240) == whole.at(place * 240)


@pytest.mark.parametrize("name", RULES)
def test_the_order_of_series_changes_nothing(name: str) -> None:
    kind, options = RULES[name]
    rule = rule_of(kind, **options)
    runs = [Watch(rule, flow(7, turned)) for turned in (False, True)]
    found = [[each for _, each in watch.run(0, 7 * HOUR, 300)] for watch in runs]
    assert found[0] == found[1]
    assert any(each.findings for each in found[0])
    assert runs[0].kept == runs[1].kept


@pytest.mark.parametrize("name", RULES)
def test_what_is_kept_is_bounded(name: str) -> None:
    kind, options = RULES[name]
    watch = Watch(rule_of(kind, **options), flow(1))
    list(watch.run(0, 6 * HOUR, 240))
    before = set(watch.kept)
    list(watch.run(6 * HOUR, 9 * HOUR, 240))
    assert len(watch.kept) - len(before) <= 6  # at the most an hour's own chunks
    assert max(watch.written[10:]) < 2000


@pytest.mark.parametrize("name", RULES)
def test_nothing_at_all_is_no_finding(name: str) -> None:
    kind, options = RULES[name]
    assert Watch(rule_of(kind, **options), Flow({})).at(0).findings == ()
