"""A window is what lies in (start, end], whichever way it was cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.promql import window
from processors.promql.columns import STALE, STALE_BITS, Columns, SeriesSet

VALUES = st.sampled_from([1.0, 2.5, -3.0, float("nan"), STALE])
TIMES = st.lists(st.integers(0, 30), max_size=12, unique=True).map(sorted)
Samples = list[tuple[int, str]]


@st.composite
def rows(draw: st.DrawFn) -> list[list[tuple[int, float]]]:
    """Rows that keep step, or nearly, or not at all."""
    shared = draw(TIMES)
    times = [
        draw(st.one_of(st.just(shared), st.just(shared), TIMES))
        for _ in range(draw(st.integers(1, 4)))
    ]
    return [[(at, draw(VALUES)) for at in each] for each in times]


def columns(given: list[list[tuple[int, float]]]) -> Columns:
    width = max(len(row) for row in given) + 1
    times = np.full(
        (len(given), width), 7, np.int64
    )  # what lies behind a row's samples is anything
    values = np.full((len(given), width), np.nan)
    for row, samples in enumerate(given):
        times[row, : len(samples)] = [at for at, _ in samples]
        values[row, : len(samples)] = [value for _, value in samples]
    counts = np.array([len(row) for row in given], np.intp)
    if len(set(counts.tolist())) == 1:
        times, values = times[:, :-1], values[:, :-1]
    series = SeriesSet(tuple((("n", str(row)),) for row in range(len(given))))
    return Columns(series, times, values, counts)


def stale(value: float) -> bool:
    return np.float64(value).view(np.uint64) == STALE_BITS


BOUNDS = st.tuples(st.integers(-1, 31), st.integers(-1, 31)).map(sorted)


@given(rows(), BOUNDS)
def test_a_window_has_the_samples_between_its_bounds(
    given: list[list[tuple[int, float]]], bounds: list[int]
) -> None:
    start, end = bounds
    found = window.cut(columns(given), start, end, 31)
    assert [
        [(int(found.times[row, at]), repr(found.values[row, at])) for at in range(first, last)]
        for row, (first, last) in enumerate(zip(found.first, found.last, strict=True))
    ] == [
        [
            (at, repr(np.float64(value)))
            for at, value in row
            if start < at <= end and not stale(value)
        ]
        for row in given
    ]


@given(rows(), BOUNDS)
def test_the_newest_is_the_last_between_the_bounds_unless_it_is_stale(
    given: list[list[tuple[int, float]]], bounds: list[int]
) -> None:
    start, end = bounds
    when, value, present = window.newest(columns(given), start, end)
    for row, samples in enumerate(given):
        between = [(at, each) for at, each in samples if start < at <= end]
        known = bool(between) and not stale(between[-1][1])
        assert bool(present[row]) is known
        if known:
            assert (int(when[row]), repr(float(value[row]))) == (
                between[-1][0],
                repr(between[-1][1]),
            )
