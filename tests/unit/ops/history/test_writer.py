"""The writer against a store that fails as the engine does: before, or after it stored."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.history.errors import HistoryAway, HistoryRefused
from ops.history.tables import SAMPLES
from ops.history.writer import Writer, Written

DAY_MS = 86_400_000


class Memory:
    """A store that fails when told: each letter of `plan` is one insert's fate."""

    def __init__(self, plan: str = "") -> None:
        self.plan = list(plan)
        self.kept: list[dict[str, Any]] = []
        self.inserts = self.lookups = self.running = 0

    def insert(self, table: str, rows: pa.Table, comment: str = "") -> None:
        fate = self.plan.pop(0) if self.plan else "."
        self.inserts += 1
        if fate != "b":
            self.kept += rows.to_pylist()
        if fate in "ab":
            raise HistoryAway("no answer")

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        assert params is not None
        if "system.processes" in sql:
            return [[self.running]]
        self.lookups += 1
        return [
            [offset]
            for offset in {
                row["offset"]
                for row in self.kept
                if row["offset"] >= params["first"]
                and row["partition"] == params["partition"]
                and params["low"] <= round(row["time"].timestamp() * 1000) < params["high"]
            }
        ]

    def offsets(self) -> list[int]:
        return sorted(row["offset"] for row in self.kept)


def samples(*offsets: int, day: int = 0) -> pa.Table:
    count = len(offsets)
    return SAMPLES.rows(
        {
            "series": range(count),
            "time": [day * DAY_MS + offset for offset in offsets],
            "value": [0.5] * count,
            "offset": offsets,
            "appended": [0] * count,
        }
    )


def persist(writer: Writer, rows: pa.Table) -> Written:
    while True:
        try:
            return writer.write(SAMPLES, "m", 0, rows)
        except HistoryAway:
            pass


def test_the_first_block_after_a_start_is_looked_up_and_the_next_is_not() -> None:
    store = Memory()
    writer = Writer(store)
    writer.write(SAMPLES, "m", 0, samples(1, 2))
    writer.write(SAMPLES, "m", 0, samples(3, 4))
    assert (store.lookups, store.inserts, store.offsets()) == (1, 2, [1, 2, 3, 4])


def test_an_insert_whose_answer_was_lost_is_not_repeated() -> None:
    store = Memory("a")
    assert persist(Writer(store), samples(1, 2)) == Written(stored=0, found=2)
    assert store.offsets() == [1, 2]


def test_an_insert_that_did_not_happen_is_repeated() -> None:
    store = Memory("b")
    assert persist(Writer(store), samples(1, 2)) == Written(stored=2, found=0)


def test_a_restart_with_other_block_bounds_stores_only_what_is_missing() -> None:
    store = Memory()
    Writer(store).write(SAMPLES, "m", 0, samples(1, 2, 3))
    assert Writer(store).write(SAMPLES, "m", 0, samples(2, 3, 4, 5)) == Written(2, 2)
    assert store.offsets() == [1, 2, 3, 4, 5]


def test_what_is_stored_beyond_the_block_is_found_by_later_blocks() -> None:
    store = Memory()
    Writer(store).write(SAMPLES, "m", 0, samples(1, 2, 3, 4))
    writer = Writer(store)
    for offset in (1, 2, 3, 4, 5):
        writer.write(SAMPLES, "m", 0, samples(offset))
    assert store.offsets() == [1, 2, 3, 4, 5]


def test_partitions_and_days_are_looked_up_apart() -> None:
    store = Memory()
    writer = Writer(store)
    writer.write(SAMPLES, "m", 0, samples(1))
    writer.write(SAMPLES, "m", 1, samples(1))
    writer.write(SAMPLES, "m", 0, samples(1, day=1))
    assert (store.lookups, store.offsets()) == (3, [1, 1, 1])


def test_nothing_is_inserted_while_an_earlier_insert_still_runs() -> None:
    store = Memory()
    store.running = 1
    with pytest.raises(HistoryAway, match="still runs"):
        Writer(store).write(SAMPLES, "m", 0, samples(1))
    assert store.inserts == 0


def test_a_refusal_is_passed_on() -> None:
    class Refusing(Memory):
        def insert(self, table: str, rows: pa.Table, comment: str = "") -> None:
            raise HistoryRefused("no such column", 16)

    with pytest.raises(HistoryRefused):
        Writer(Refusing()).write(SAMPLES, "m", 0, samples(1))


def test_what_was_forgotten_is_looked_up_again() -> None:
    store = Memory()
    writer = Writer(store)
    writer.write(SAMPLES, "m", 0, samples(1))
    writer.forget()
    assert writer.write(SAMPLES, "m", 0, samples(1)) == Written(0, 1)


@given(st.text("ab..", max_size=12), st.lists(st.integers(1, 5), max_size=10), st.data())
def test_whatever_fails_and_restarts_each_offset_is_stored_once(
    plan: str, sizes: list[int], data: st.DataObject
) -> None:
    store = Memory(plan)
    writer, committed, end = Writer(store), 0, sum(sizes)
    while committed < end:
        size = data.draw(st.integers(1, 5))
        offsets = range(committed, min(committed + size, end))
        if data.draw(st.booleans()):
            writer = Writer(store)
        persist(writer, samples(*offsets))
        if data.draw(st.integers(0, 3)):  # else: the commit was lost, the reader starts again
            committed += len(offsets)
    assert store.offsets() == list(range(end))
