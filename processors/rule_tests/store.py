"""Samples that grow instant by instant: a source over everything that was appended so far.

A metric's series share matrices, rows filled from the left. A selection of a long history gathers
what lies in the window alone, so that a long test costs no more per instant than a short one.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from processors.promql.columns import Columns, Floats, Rows, SeriesSet, Times
from processors.promql.labels import METRIC_NAME, Labels, get
from processors.promql.selector import Selector

_FIRST = 16
_EMPTY = Columns(SeriesSet(()), np.zeros((0, 0), np.int64), np.zeros((0, 0)), np.zeros(0, np.intp))
_NARROW = 64
"""Columns that are handed out as they are."""
_Matrix = TypeVar("_Matrix", Times, Floats)


class Block:
    """The series of one metric."""

    def __init__(self) -> None:
        self.labels: list[Labels] = []
        self.times: Times = np.zeros((_FIRST, _FIRST), np.int64)
        self.values: Floats = np.zeros((_FIRST, _FIRST))
        self.counts: Rows = np.zeros(_FIRST, np.intp)

    def row(self, labels: Labels) -> int:
        """The row of a new series."""
        row = len(self.labels)
        self.labels.append(labels)
        if row >= len(self.counts):
            self.times = np.concatenate([self.times, np.zeros_like(self.times)])
            self.values = np.concatenate([self.values, np.zeros_like(self.values)])
            self.counts = np.concatenate([self.counts, np.zeros_like(self.counts)])
        return row

    def append(self, rows: Rows, at: int, values: Floats) -> None:
        """One sample for each of some rows, all of them newer than what the rows have."""
        places = self.counts[rows]
        if int(places.max(initial=0)) >= self.times.shape[1]:
            self.times = np.concatenate([self.times, np.zeros_like(self.times)], axis=1)
            self.values = np.concatenate([self.values, np.zeros_like(self.values)], axis=1)
        self.times[rows, places] = at
        self.values[rows, places] = values
        self.counts[rows] = places + 1

    def add(self, rows: Rows, at: int, values: Floats) -> list[tuple[tuple[int, float], float]]:
        """Appends what is newer than what the rows have; the rest, with what they have."""
        held = np.maximum(self.counts[rows] - 1, 0)
        newer = (self.times[rows, held] < at) | (self.counts[rows] == 0)
        self.append(rows[newer], at, values[newer])
        return [
            ((int(self.times[row, place]), float(self.values[row, place])), float(value))
            for row, place, value in zip(rows[~newer], held[~newer], values[~newer], strict=True)
        ]


class Store:
    """A `promql` source that grows."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}
        self._places: dict[Labels, tuple[Block, int]] = {}
        self._found: dict[Selector, list[tuple[Block, Rows | None, SeriesSet]]] = {}
        self._series: dict[Selector, SeriesSet] = {}

    @property
    def names(self) -> list[str]:
        """Every metric's name."""
        return sorted(self._blocks)

    def place(self, labels: Labels) -> tuple[Block, int]:
        """Where a series is kept; a new one is added."""
        known = self._places.get(labels)
        if known is None:
            name = get(labels, METRIC_NAME)
            block = self._blocks.get(name)
            if block is None:
                block = self._blocks[name] = Block()
            known = self._places[labels] = block, block.row(labels)
            self._found.clear()
            self._series.clear()
        return known

    def add(
        self, samples: Sequence[tuple[Labels, float]], at: int
    ) -> list[tuple[tuple[int, float], float]]:
        """Appends samples of one time; those that are no newer than what there is, with that."""
        blocks: dict[Block, tuple[list[int], list[float]]] = {}
        for labels, value in samples:
            block, row = self.place(labels)
            rows, values = blocks.setdefault(block, ([], []))
            rows.append(row)
            values.append(value)
        refused = []
        for block, (rows, values) in blocks.items():
            refused += block.add(np.array(rows, np.intp), at, np.array(values))
        return refused

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """The samples in (start, end] of the series that match, in label order."""
        parts = self._found.get(selector)
        if parts is None:
            parts = self._found[selector] = self._parts(selector)
        found = [_cut(block, rows, series, start) for block, rows, series in parts]
        if len(found) == 1:
            return found[0]
        return self._joined(selector, found)

    def _parts(self, selector: Selector) -> list[tuple[Block, Rows | None, SeriesSet]]:
        names = self.names if selector.metric is None else [selector.metric]
        parts = []
        for name in names:
            block = self._blocks.get(name)
            if block is None:
                continue
            rows = sorted(
                (row for row, each in enumerate(block.labels) if selector.matches(each)),
                key=block.labels.__getitem__,
            )
            if rows:
                whole = rows == list(range(len(block.labels)))
                series = SeriesSet(tuple(block.labels[row] for row in rows))
                parts.append((block, None if whole else np.array(rows, np.intp), series))
        return parts

    def _joined(self, selector: Selector, found: Sequence[Columns]) -> Columns:
        if not found:
            return _EMPTY
        series = self._series.get(selector)
        if series is None:
            labels = tuple(each for part in found for each in part.series.labels)
            series = self._series[selector] = SeriesSet(labels)
        width = max(part.times.shape[1] for part in found)
        return Columns(
            series,
            np.concatenate([_wider(part.times, width) for part in found]),
            np.concatenate([_wider(part.values, width) for part in found]),
            np.concatenate([part.counts for part in found]),
        )


def _wider(matrix: _Matrix, width: int) -> _Matrix:
    missing = width - matrix.shape[1]
    return np.pad(matrix, ((0, 0), (0, missing))) if missing else matrix


def _cut(block: Block, rows: Rows | None, series: SeriesSet, start: int) -> Columns:
    chosen = np.arange(len(block.labels)) if rows is None else rows
    counts = block.counts[chosen]
    width = int(counts.max(initial=0))
    if rows is None and width <= _NARROW:
        size = len(block.labels)
        return Columns(series, block.times[:size, :width], block.values[:size, :width], counts)
    first = _first(block, chosen, counts, start)
    kept = counts - first
    places = first[:, None] + np.arange(int(kept.max(initial=0)))
    places = np.minimum(places, block.times.shape[1] - 1)
    across = chosen[:, None]
    return Columns(series, block.times[across, places], block.values[across, places], kept)


def _first(block: Block, rows: Rows, counts: Rows, start: int) -> Rows:
    """Each row's first sample after `start`."""
    low, high = np.zeros(len(rows), np.intp), counts.copy()
    for _ in range(int(counts.max(initial=0)).bit_length()):
        middle = (low + high) >> 1
        older = (middle < high) & (
            block.times[rows, np.minimum(middle, block.times.shape[1] - 1)] <= start
        )
        low = np.where(older, middle + 1, low)
        high = np.where(older, high, middle)
    return low
