"""The formulas against small implementations of their definitions."""

from itertools import combinations
from math import erf, isnan, sqrt
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.detect.formulas import normal_quantile, robust, theil_sen, two_proportions

NUMBERS = st.one_of(st.none(), st.integers(-50, 50).map(float))
ROWS = st.lists(st.lists(NUMBERS, min_size=6, max_size=6), min_size=1, max_size=5)


def matrix(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[np.nan if each is None else each for each in row] for row in rows])


@given(ROWS)
def test_median_and_spread_are_those_of_iglewicz_and_hoaglin(
    rows: list[list[float | None]],
) -> None:
    middle, spread, counts = robust(matrix(rows))
    for at, row in enumerate(rows):
        numbers = [each for each in row if each is not None]
        assert counts[at] == len(numbers)
        if not numbers:
            assert isnan(middle[at])
            continue
        center = median(numbers)
        away = [abs(each - center) for each in numbers]
        wanted = median(away) / 0.6745 or 1.253314 * sum(away) / len(away)
        assert middle[at] == center
        assert spread[at] == pytest.approx(wanted)


@given(ROWS)
def test_the_line_is_theils_and_its_bounds_are_sens(rows: list[list[float | None]]) -> None:
    times = np.array([0.0, 1, 2, 4, 7, 9])
    z = 1.645
    lines = theil_sen(times, matrix(rows), z)
    for at, row in enumerate(rows):
        points = [(t, v) for t, v in zip(times, row, strict=True) if v is not None]
        count = len(points)
        if count < 3:
            assert np.isnan(lines[:, at]).all()
            continue
        slopes = sorted((b - a) / (t - s) for (s, a), (t, b) in combinations(points, 2))
        slope = median(slopes)
        assert lines[1, at] == pytest.approx(slope)
        assert lines[3, at] == pytest.approx(median(v - slope * t for t, v in points))
        half = z * sqrt(count * (count - 1) * (2 * count + 5) / 18)

        def ranked(rank: float, slopes: list[float] = slopes) -> float:
            rank = min(max(rank, 1), len(slopes)) - 1
            low = int(rank)
            high = min(low + 1, len(slopes) - 1)
            return slopes[low] + (rank - low) * (slopes[high] - slopes[low])

        assert lines[0, at] == pytest.approx(ranked((len(slopes) - half) / 2))
        assert lines[2, at] == pytest.approx(ranked((len(slopes) + half) / 2 + 1))


@given(st.integers(0, 50), st.integers(51, 500), st.integers(1, 500), st.integers(501, 5000))
def test_two_proportions_are_fleisss(part: int, whole: int, base: int, base_whole: int) -> None:
    first, second = part / whole, base / base_whole
    pooled = (part + base) / (whole + base_whole)
    each = 1 / whole + 1 / base_whole
    z = max(abs(first - second) - each / 2, 0) / sqrt(pooled * (1 - pooled) * each)
    arrays = [np.array([float(number)]) for number in (part, whole, base, base_whole)]
    assert two_proportions(*arrays)[0] == pytest.approx(z if first >= second else -z)


def test_proportions_that_say_nothing_are_zero() -> None:
    nothing = np.zeros(1)
    assert two_proportions(nothing, nothing, nothing, nothing)[0] == 0
    assert two_proportions(nothing, nothing + 9, nothing, nothing + 99)[0] == 0


@given(st.floats(0.5, 0.9999))
def test_the_normal_quantile_is_the_inverse_of_its_integral(probability: float) -> None:
    assert (1 + erf(normal_quantile(probability) / sqrt(2))) / 2 == pytest.approx(probability)
