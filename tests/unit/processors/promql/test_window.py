"""A window is the same whichever way it was cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql import window
from processors.promql.columns import STALE, Columns, SeriesSet

VALUES = st.sampled_from([1.0, 2.5, -3.0, float("nan"), STALE])


@given(
    times=st.lists(st.integers(0, 30), max_size=12, unique=True).map(sorted),
    rows=st.integers(1, 4),
    bounds=st.tuples(st.integers(-1, 31), st.integers(-1, 31)).map(sorted),
    data=st.data(),
)
def test_rows_that_keep_step_are_cut_as_any_others(
    times: list[int], rows: int, bounds: list[int], data: st.DataObject
) -> None:
    size = len(times)
    values = data.draw(st.lists(VALUES, min_size=rows * size, max_size=rows * size))
    columns = Columns(
        SeriesSet(tuple((("n", str(row)),) for row in range(rows))),
        np.tile(np.array(times, np.int64), (rows, 1)),
        np.array(values).reshape(rows, size),
        np.full(rows, size, np.intp),
    )
    quick = samples(window.cut(columns, *bounds, 31))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "_FEW", 0)
        assert samples(window.cut(columns, *bounds, 31)) == quick


def samples(cut: window.Window) -> list[list[tuple[int, str]]]:
    return [
        [(int(cut.times[row, at]), repr(cut.values[row, at])) for at in range(first, last)]
        for row, (first, last) in enumerate(zip(cut.first, cut.last, strict=True))
    ]
