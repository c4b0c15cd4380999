"""The input series of a test, as columns that are appended time by time."""

from dataclasses import dataclass

import numpy as np

from processors.promql.columns import Floats, Rows
from processors.promql.labels import Labels
from processors.rule_tests import series
from processors.rule_tests.model import TestGroup
from processors.rule_tests.series import BadSeries
from processors.rule_tests.store import Block, Store


@dataclass(frozen=True, slots=True)
class Step:
    """The samples of one time (ms), by the block that they go to."""

    at: int
    parts: tuple[tuple[Block, Rows, Floats], ...]

    def append(self) -> None:
        """Adds them to their blocks."""
        for block, rows, values in self.parts:
            block.append(rows, self.at, values)


def steps(test: TestGroup, evaluation_interval: int, store: Store) -> list[Step]:
    """What is appended when, up to the last time that is asked about; raises BadSeries.

    A series that is given twice has the values that were given last.
    """
    interval = test.interval or evaluation_interval
    most = test.longest // interval + 1
    given: dict[Labels, tuple[float | None, ...]] = {}
    for number, each in enumerate(test.input_series):
        try:
            given[series.labels(each.series)] = series.values(each.values, most)
        except BadSeries as fault:
            raise BadSeries(f"input_series[{number}]: {fault}") from fault
    longest = max((len(values) for values in given.values()), default=0)
    blocks: dict[Block, list[tuple[int, tuple[float | None, ...]]]] = {}
    for labels in sorted(given):
        block, row = store.place(labels)
        blocks.setdefault(block, []).append((row, given[labels]))
    columns = [(block, *_matrix(rows, longest)) for block, rows in blocks.items()]
    found = []
    for place in range(longest):
        parts = tuple(
            (block, rows[mask[:, place]], values[mask[:, place], place])
            for block, rows, values, mask in columns
            if mask[:, place].any()
        )
        found.append(Step(test.start_timestamp + place * interval, parts))
    return found


def _matrix(
    given: list[tuple[int, tuple[float | None, ...]]], longest: int
) -> "tuple[Rows, Floats, np.ndarray]":
    """Rows, their values, and where there are some."""
    rows = np.array([row for row, _ in given], np.intp)
    values = np.zeros((len(given), longest))
    mask = np.zeros((len(given), longest), np.bool_)
    for place, (_, each) in enumerate(given):
        there = [value is not None for value in each]
        mask[place, : len(each)] = there
        values[place, : len(each)] = [0.0 if value is None else value for value in each]
    return rows, values, mask
