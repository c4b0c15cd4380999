"""Samples in memory: a source for unit tests, and flat arrays as the engine's columns."""

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

from processors.promql.columns import Columns, Floats, Rows, SeriesSet, Times
from processors.promql.labels import Labels
from processors.promql.selector import Selector


class MemorySource:
    """A fixed set of series; what a selector sees of it is worked out once."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._selected: dict[Selector, Columns] = {}

    @classmethod
    def of(cls, series: Iterable[tuple[Labels, Sequence[tuple[int, float]]]]) -> Self:
        """From (labels, [(time, value), …]), times ascending."""
        given = list(series)
        sizes = [len(samples) for _, samples in given]
        index = np.repeat(np.arange(len(given)), sizes)
        times = np.array([at for _, samples in given for at, _ in samples], dtype=np.int64)
        values = np.array([value for _, samples in given for _, value in samples], dtype=float)
        return cls.flat([tuple(sorted(labels)) for labels, _ in given], index, times, values)

    @classmethod
    def flat(cls, labels: Sequence[Labels], index: Rows, times: Times, values: Floats) -> Self:
        """From flat arrays sorted by (series index, time)."""
        return cls(columns(labels, index, times, values))

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """All samples of the selected series, whatever the bounds."""
        known = self._selected.get(selector)
        if known is None:
            known = self._selected[selector] = self._reduced(selector)
        return known

    def _reduced(self, selector: Selector) -> Columns:
        every = self._columns
        labels = every.series.labels
        rows = [row for row, each in enumerate(labels) if selector.matches(each)]
        return Columns(
            SeriesSet(tuple(labels[row] for row in rows)),
            every.times[rows],
            every.values[rows],
            every.counts[rows],
        )


def columns(labels: Sequence[Labels], index: Rows, times: Times, values: Floats) -> Columns:
    """Flat arrays, sorted by (series index, time), as the engine takes them: nothing left out."""
    counts = np.bincount(index, minlength=len(labels)).astype(np.intp, copy=False)
    width = int(counts.max()) if len(counts) else 0
    place = np.arange(len(index)) - np.repeat(np.cumsum(counts) - counts, counts)
    when = np.zeros((len(labels), width), dtype=np.int64)
    value = np.zeros((len(labels), width))
    when[index, place] = times
    value[index, place] = values
    return Columns(SeriesSet(tuple(labels)), when, value, counts)
