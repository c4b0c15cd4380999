"""Forecasts: when a resource runs out, and what changes that."""

from typing import Any

import numpy as np
import pytest

from processors.rules.file import BadRules
from tests.support.detecting import T0, facts, rule_of, series
from tests.support.flow import Flow, Value, Watch

HOUR = 3600


def noise(at: np.ndarray) -> np.ndarray:
    return np.round(at).astype(np.int64) * 2654435761 % 1000 / 1000 - 0.5


def watch(value: Value, **options: Any) -> Watch:
    written = {"expr": "free", "below": 0, "horizon": "4h", **options}
    written = {name: each for name, each in written.items() if each is not None}
    return Watch(rule_of("forecast", **written), Flow({series("free", d="/"): value}, 60))


def falling(at: np.ndarray) -> np.ndarray:
    """Empty after 10 hours."""
    return 3600.0 * (10 - at / HOUR)


def first(watch: Watch, end: float, step: float = 60) -> tuple[float, Any]:
    return next((at, found.findings[0]) for at, found in watch.run(0, end, step) if found.findings)


def test_it_is_found_when_the_horizon_reaches_the_end() -> None:
    at, finding = first(watch(falling), 8 * HOUR)
    assert at == 6 * HOUR
    assert finding.value == pytest.approx(4 * HOUR)
    assert facts(finding) == {
        "observed": "1.44e+04",
        "runs_out": "2023-11-15T08:00:00Z",
        "in": "4h 0m 0s",
        "between": "2023-11-15T08:00:00Z and 2023-11-15T08:00:00Z",
        "per_hour": "-3600",
    }
    assert T0 == 1_699_999_200_000  # 2023-11-14T22:00:00Z


def test_what_fills_up_is_the_same_upside_down() -> None:
    at, finding = first(watch(lambda at: 100 - falling(at) / 360, below=None, above=100), 8 * HOUR)
    assert at == 6 * HOUR
    assert facts(finding)["per_hour"] == "10"


def test_noise_without_a_trend_never_runs_out() -> None:
    watching = watch(lambda at: 100 + 80 * noise(at), horizon="1d")
    assert not any(found.findings for _, found in watching.run(0, 12 * HOUR, 300))


def test_the_bounds_of_the_slope_say_how_sure_it_must_be() -> None:
    def rough(at: np.ndarray) -> np.ndarray:
        return falling(at) + 20_000 * noise(at)

    ats = [
        first(watch(rough, bound=each), 12 * HOUR, 300)[0] for each in ("early", "central", "late")
    ]
    assert ats == sorted(ats)
    assert ats[0] < ats[2]
    surer = first(watch(rough, confidence=0.999), 12 * HOUR, 300)[0]
    assert surer >= ats[2]


def test_outliers_do_not_bend_the_line() -> None:
    def torn(at: np.ndarray) -> np.ndarray:
        return falling(at) + np.where(np.round(at / 60) % 10 == 0, 90_000.0, 0.0) * (at < 5 * HOUR)

    at, finding = first(watch(torn), 8 * HOUR)
    assert at == pytest.approx(6 * HOUR, abs=600)
    assert facts(finding)["per_hour"].startswith("-36")


def test_what_was_freed_counts_at_once() -> None:
    def freed(at: np.ndarray) -> np.ndarray:
        return np.where(at < 8 * HOUR, falling(at), 1e6)

    told = dict(watch(freed).run(0, 8 * HOUR, 60))
    assert told[8 * HOUR - 60].findings
    assert not told[8 * HOUR].findings


def test_what_has_run_out_is_found_without_any_line() -> None:
    finding = watch(lambda at: np.full(len(at), -1.0)).at(0).findings[0]
    assert finding.value == 0
    assert facts(finding)["in"] == "0s"


def test_thousands_of_series_are_worked_out_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    several = {series("free", d=str(i)): (lambda at, i=i: falling(at) + i) for i in range(20)}
    rule = rule_of("forecast", expr="free", below=0, horizon="4h")
    flow = Flow(several, 60)
    whole = [found for _, found in Watch(rule, flow).run(0, 7 * HOUR, 600)]
    monkeypatch.setattr("processors.detect.forecast.AT_ONCE", 1)
    assert [found for _, found in Watch(rule, flow).run(0, 7 * HOUR, 600)] == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"below": None}, "needs one threshold: below or above"),
        ({"above": 1}, "needs one threshold: below or above"),
        ({"horizon": "1s"}, "forecast.horizon: Input should be greater than or equal to"),
        ({"min_points": 90, "points": 50}, "'min_points' is more than 'points'"),
        ({"expr": "'text'"}, "forecast.expr: expression is not a vector or scalar"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(options: Any, message: str) -> None:
    with pytest.raises(BadRules) as caught:
        watch(falling, **options)
    assert message in str(caught.value)
