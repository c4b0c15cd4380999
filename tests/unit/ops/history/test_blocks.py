import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ops.history.blocks import DAY_MS, Block, split, without


def rows(times: list[int], offsets: list[int]) -> pa.Table:
    return pa.table(
        {
            "time": pa.array(times, pa.int64()).cast(pa.timestamp("ms", tz="UTC")),
            "offset": pa.array(offsets, pa.uint64()),
        }
    )


def content(blocks: list[Block]) -> list[tuple[int, int]]:
    return sorted(
        (round(row["time"].timestamp() * 1000), row["offset"])
        for block in blocks
        for row in block.rows.to_pylist()
    )


def test_no_rows_make_no_blocks() -> None:
    assert list(split(rows([], []), "time")) == []


def test_rows_of_one_day_are_one_block() -> None:
    (block,) = split(rows([5, 6, 7], [1, 1, 2]), "time")
    assert (block.day, block.first, block.last, block.rows.num_rows) == (0, 1, 2, 3)


def test_each_day_is_a_block_of_its_own() -> None:
    blocks = list(split(rows([DAY_MS - 1, DAY_MS, 2 * DAY_MS], [4, 4, 5]), "time"))
    assert [(b.day, b.first, b.last) for b in blocks] == [(0, 4, 4), (1, 4, 4), (2, 5, 5)]


def test_a_block_ends_between_records() -> None:
    blocks = list(split(rows([0] * 6, [1, 1, 2, 2, 3, 3]), "time", max_rows=3))
    assert [(b.first, b.last, b.rows.num_rows) for b in blocks] == [(1, 1, 2), (2, 2, 2), (3, 3, 2)]


def test_a_record_larger_than_a_block_stays_whole() -> None:
    blocks = list(split(rows([0] * 5, [1, 1, 1, 1, 2]), "time", max_rows=2))
    assert [(b.first, b.last, b.rows.num_rows) for b in blocks] == [(1, 1, 4), (2, 2, 1)]


def test_times_before_1970_have_days_too() -> None:
    (block,) = split(rows([-1], [0]), "time")
    assert block.day == -1


@given(
    st.lists(st.tuples(st.integers(0, 3 * DAY_MS), st.integers(0, 20)), max_size=60),
    st.integers(1, 10),
)
def test_splitting_loses_nothing_and_parts_no_record(
    pairs: list[tuple[int, int]], most: int
) -> None:
    given_rows = rows([time for time, _ in pairs], [offset for _, offset in pairs])
    blocks = list(split(given_rows, "time", max_rows=most))
    assert content(blocks) == sorted(pairs)
    homes = [(b.day, int(o)) for b in blocks for o in np.unique(b.rows.column("offset"))]
    assert len(homes) == len(set(homes))


def test_stored_offsets_are_left_out() -> None:
    (block,) = split(rows([0] * 4, [1, 2, 2, 3]), "time")
    left = without(block, [2])
    assert left is not None
    assert left.rows.column("offset").to_pylist() == [1, 3]
    assert (left.first, left.last) == (1, 3)


def test_a_block_that_is_stored_leaves_nothing() -> None:
    (block,) = split(rows([0, 0], [1, 2]), "time")
    assert without(block, [1, 2, 9]) is None
    assert without(block, []) is block
