import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql import sums
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.promql.vector import Vector

FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


def neumaier(terms: list[float]) -> float:
    """The textbook loop."""
    total = lost = 0.0
    for term in terms:
        after = total + term
        if abs(total) >= abs(term):
            lost += (total - after) + term
        else:
            lost += (term - after) + total
        total = after
    return total + lost if math.isfinite(total) else total


@given(st.lists(FLOATS, min_size=1, max_size=40), st.integers(1, 600))
def test_the_columnar_sum_is_neumaiers_to_the_bit(terms: list[float], copies: int) -> None:
    rows = np.tile(np.array(terms), (copies, 1))
    with np.errstate(all="ignore"):
        assert set(sums.total(rows).tolist()) == {neumaier(terms)}


def test_large_matrices_are_summed_in_blocks_with_the_same_result() -> None:
    rows = np.arange(40_000.0).reshape(4000, 10) / 7
    assert sums.total(rows).tolist() == [neumaier(row.tolist()) for row in rows]


@pytest.mark.parametrize(
    ("terms", "mean"),
    [
        ([1e308, 0.0, 1e308, 1e308], 0.75e308),
        ([-1e308, -1e308], -1e308),
        ([math.inf, 1.0], math.inf),
        ([1.0, -math.inf], -math.inf),
        ([math.inf, -math.inf], math.nan),
        ([1.0, math.nan], math.nan),
    ],
)
def test_a_mean_beyond_the_floats_is_prometheus_mean(terms: list[float], mean: float) -> None:
    with np.errstate(all="ignore"):
        found = sums.mean(np.array([terms]), np.array([len(terms)]))[0]
    assert found == pytest.approx(mean, nan_ok=True)


def test_zeros_for_absent_samples_do_not_count() -> None:
    with np.errstate(all="ignore"):
        found = sums.mean(np.array([[0.0, 1e308, 0.0, 1e308, 1e308]]), np.array([3]))[0]
    assert found == pytest.approx(1e308)


def test_groups_of_very_different_sizes_are_summed_alike() -> None:
    sizes = {"giant": 3000, **{f"small{i}": 1 for i in range(2000)}}
    series: list[tuple[Labels, list[tuple[int, float]]]] = [
        ((("__name__", "x"), ("group", group), ("i", str(i))), [(0, 0.1)])
        for group, size in sizes.items()
        for i in range(size)
    ]
    value = compile("sum by (group) (x)").evaluate(MemorySource.of(series), 0)
    assert isinstance(value, Vector)
    found = {labels[0][1]: total for labels, total in value.items()}
    assert found["giant"] == pytest.approx(300.0, rel=1e-15)
    assert set(found.values()) == {found["giant"], 0.1}
