"""Kernels against loops that go through samples as Prometheus's source does."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql.columns import STALE, Columns, SeriesSet
from processors.promql.kernels.registry import RANGES
from processors.promql.window import Window, cut

NUMBERS = st.one_of(
    st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, 1.7e308, 0.0, 1e200])
)
# Rows of the same times, some samples away: a gap is a stale marker.
ROWS = st.integers(1, 12).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(NUMBERS, st.none()), min_size=width, max_size=width),
        min_size=1,
        max_size=5,
    )
)


def window(rows: list[list[float | None]]) -> Window:
    values = np.array([[STALE if each is None else each for each in row] for row in rows])
    times = np.tile(np.arange(values.shape[1]) * 1000, (len(values), 1))
    counts = np.full(len(values), values.shape[1])
    series = SeriesSet(tuple((("row", str(row)),) for row in range(len(values))))
    return cut(Columns(series, times, values, counts), -1, 100_000, 100_000)


def kahan(term: float, total: float, lost: float) -> tuple[float, float]:
    after = total + term
    if math.isinf(after):
        return after, 0.0
    if abs(total) >= abs(term):
        return after, lost + ((total - after) + term)
    return after, lost + ((term - after) + total)


def quantile(share: float, terms: list[float]) -> float:
    if math.isnan(share):
        return math.nan
    if not 0 <= share <= 1:
        return math.copysign(math.inf, share)
    ordered = sorted(terms, key=lambda term: (not math.isnan(term), term))
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high, weight = min(low + 1, len(ordered) - 1), place - low
    return ordered[low] * (1 - weight) + ordered[high] * weight


def variance(terms: list[float]) -> float:
    mean = mean_lost = squares = squares_lost = 0.0
    for count, term in enumerate(terms, 1):
        away = term - (mean + mean_lost)
        mean, mean_lost = kahan(away / count, mean, mean_lost)
        squares, squares_lost = kahan(away * (term - (mean + mean_lost)), squares, squares_lost)
    return (squares + squares_lost) / len(terms)


def deviation(terms: list[float]) -> float:
    if any(map(math.isnan, terms)):
        return math.nan
    middle = quantile(0.5, terms)
    return quantile(0.5, [abs(term - middle) for term in terms])


def smoothed(terms: list[float]) -> float:
    before, level, slope = 0.0, terms[0], terms[1] - terms[0]
    for place, term in enumerate(terms[1:]):
        if place:
            slope = 0.25 * (level - before) + 0.75 * slope
        before, level = level, 0.5 * term + 0.5 * (level + slope)
    return level


def check(name: str, rows: list[list[float | None]], least: int, *scalars: float) -> None:
    reference = {
        "quantile_over_time": lambda terms: quantile(scalars[0], terms),
        "stdvar_over_time": variance,
        "mad_over_time": deviation,
        "double_exponential_smoothing": smoothed,
    }[name]
    with np.errstate(all="ignore"):
        found = RANGES[name].apply(window(rows), *scalars)
    for row, mine in zip(rows, found.tolist(), strict=True):
        terms = [term for term in row if term is not None]
        if len(terms) >= least:
            theirs = reference(terms)
            assert mine == theirs or (math.isnan(mine) and math.isnan(theirs)), (terms, theirs)


def held(rows: list[list[float | None]]) -> bool:
    return any(term is not None for row in rows for term in row)


@given(ROWS.filter(held), st.sampled_from([0.0, 0.3, 0.5, 0.95, 1.0, -1.0, 2.0, math.nan]))
def test_quantiles_put_nan_below_every_number(rows: list[list[float | None]], rank: float) -> None:
    check("quantile_over_time", rows, 1, rank)


@given(ROWS.filter(held))
def test_variance_is_welfords_with_kahans_sums(rows: list[list[float | None]]) -> None:
    check("stdvar_over_time", rows, 1)


@given(ROWS.filter(held))
def test_the_median_deviation_of_nan_is_nan(rows: list[list[float | None]]) -> None:
    check("mad_over_time", rows, 1)


@given(ROWS.filter(held))
def test_smoothing_is_holts(rows: list[list[float | None]]) -> None:
    check("double_exponential_smoothing", rows, 2, 0.5, 0.25)


@pytest.mark.parametrize("name", ["deriv", "predict_linear"])
def test_a_level_line_is_met_exactly(name: str) -> None:
    scalars = (3600.0,) if name == "predict_linear" else ()
    rows: list[list[float | None]] = [[0.1] * 7, [None, *[0.1] * 6], [math.inf] * 7]
    with np.errstate(all="ignore"):
        found = RANGES[name].apply(window(rows), *scalars).tolist()
    level = 0.1 if name == "predict_linear" else 0.0
    assert found[:2] == [level, level]
    assert math.isnan(found[2])
