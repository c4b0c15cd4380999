"""The cells of one metric at one resolution, and any span of them as one.

Cells in a row are put together by a tree of sixteens, whose shape only depends on the bounds: the
same span gives the same bits, whichever of its cells were closed already. Cells that are still
open come from raw samples.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from processors.partials.blocks import Block, block, filled
from processors.partials.cells import Cells, merged, nothing, rebased
from processors.partials.fields import NEWEST, Field, Fields, row_bytes, wide
from processors.partials.measure import measured
from processors.partials.rows import Aligned, Budget, TableRows
from processors.partials.spans import SLACK
from processors.promql.columns import Columns, Rows, Source
from processors.promql.selector import Selector

FAN = 16
"""Nodes of the tree that become one; they add a fifteenth to what the cells take."""
Open: TypeAlias = Callable[[int], Cells | None]
"""A cell that is not closed, of the rows that are asked for; None where it is empty."""


def series_bytes(fields: Fields, resolution: int, reach: int) -> int:
    """What a series takes of memory once the table reaches back as far as it has to."""
    cells = -(-(reach + SLACK) // resolution)
    return cells * row_bytes(fields, resolution) * FAN // (FAN - 1)


class Table:
    """Cells below `closed` are closed, those from `oldest` on are held; None before the first."""

    def __init__(
        self, key: str, resolution: int, fields: Fields, reach: int, born: int, budget: Budget
    ) -> None:
        self.key, self.resolution, self.born = key, resolution, born
        self.fields, self.reach = fields, reach
        self.selectors: tuple[Selector, ...] = ()
        self.rows = TableRows(budget, series_bytes(fields, resolution, reach))
        self.blocks: dict[int, Block] = {}
        self.oldest = 0
        self.closed: int | None = None
        self._nodes: dict[tuple[Fields, int, int], Block | None] = {}
        self._folds: dict[tuple[Aligned, int, int, Fields], Cells] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the cells and of the tree above them."""
        held = [*self.blocks.values(), *(node for node in self._nodes.values() if node)]
        return sum(each.nbytes for each in held)

    def serve(self, fields: Fields, reach: int, selectors: Iterable[Selector]) -> None:
        """What is asked of it from now on."""
        self.fields, self.reach, self.selectors = fields, reach, tuple(selectors)
        self.rows.resized(series_bytes(fields, self.resolution, reach))

    def close(self, source: Source, until: int) -> list[int]:
        """Take the cells below `until` from raw samples; the numbers of those with something."""
        if self.closed is None:
            self.oldest = self.closed = until
            return []
        if until <= self.closed:
            return []
        first, self.closed = self.closed, until
        self._folds.clear()
        found = [
            part for selector in self.selectors for part in self._measured(source, selector, first)
        ]
        numbers = sorted({number for number, _, _ in found})
        for number in numbers:
            parts = [(rows, cells) for at, rows, cells in found if at == number]
            self._put(number, parts)
        return numbers

    def forget(self) -> None:
        """Drop what is out of reach."""
        assert self.closed is not None
        oldest = self.closed - -(-(self.reach + SLACK) // self.resolution)
        if oldest <= self.oldest:
            return
        self.oldest = oldest
        for number in [each for each in self.blocks if each < oldest]:
            del self.blocks[number]
        for key in [each for each in self._nodes if each[2] < oldest]:
            del self._nodes[key]

    def sweep(self) -> None:
        """Give away the rows of series that have had nothing within reach."""
        self.rows.free(self.oldest)
        self._folds.clear()

    def fold(self, aligned: Aligned, low: int, high: int, fields: Fields, opened: Open) -> Cells:
        """Cells [low, high) of some series as one."""
        if high > (self.closed or 0):
            return self._fold(aligned.rows, low, high, fields, opened)
        # Several rules, and several instants of a minute, ask for the same.
        key = (aligned, low, high, fields)
        known = self._folds.get(key)
        if known is None:
            if len(self._folds) >= _FOLDS:
                self._folds.clear()
            known = self._folds[key] = self._fold(aligned.rows, low, high, fields, opened)
        return known

    def _fold(self, rows: Rows, low: int, high: int, fields: Fields, opened: Open) -> Cells:
        base = low * self.resolution
        total: Cells | None = None
        while low < high:
            level = 0
            while low % FAN ** (level + 1) == 0 and low + FAN ** (level + 1) <= high:
                level += 1
            part = self._part(level, low, rows, fields, opened)
            low += FAN**level
            if part is not None:
                part = rebased(part, base)
                total = part if total is None else merged(total, part)
        return nothing(base, len(rows), fields) if total is None else total

    def put(self, number: int, kept: Block) -> None:
        """A block of a checkpoint."""
        self.blocks[number] = kept
        marks = frozenset(kept.columns.keys() & _MARKS)
        row = np.flatnonzero(filled(kept.cells(marks, _all(kept.size))))
        row = row[row < len(self.rows)]
        self.rows.last[row] = np.maximum(self.rows.last[row], number)

    def _measured(
        self, source: Source, selector: Selector, first: int
    ) -> list[tuple[int, Rows, Cells]]:
        assert self.closed is not None
        step = self.resolution
        columns = source.select(selector, first * step, self.closed * step)
        found = []
        for number in _worth(columns, first, self.closed, step):
            cells = measured(columns, number * step, (number + 1) * step, self.fields)
            some = np.flatnonzero(filled(cells))
            if len(some):
                rows = self.rows.of(columns.series, some)
                taken = {field: column[some] for field, column in cells.columns.items()}
                found.append((number, rows, Cells(cells.base, len(some), taken)))
        return found

    def _put(self, number: int, parts: list[tuple[Rows, Cells]]) -> None:
        size = len(self.rows)
        columns = {field: np.zeros(size, wide(field)) for field in self.fields}
        for rows, cells in parts:
            kept = rows >= 0
            for field, column in columns.items():
                column[rows[kept]] = cells[field][kept]
            self.rows.last[rows[kept]] = number
        base = number * self.resolution
        self.blocks[number] = block(Cells(base, size, columns), self.resolution)

    def _part(self, level: int, low: int, rows: Rows, fields: Fields, opened: Open) -> Cells | None:
        if low + FAN**level <= (self.closed or 0):
            node = self._node(level, low, fields)
            return None if node is None else node.cells(fields, rows)
        if level == 0:
            return opened(low)
        step = FAN ** (level - 1)
        total: Cells | None = None
        for at in range(low, low + FAN * step, step):
            part = self._part(level - 1, at, rows, fields, opened)
            if part is not None:
                part = rebased(part, low * self.resolution)
                total = part if total is None else merged(total, part)
        return total

    def _node(self, level: int, low: int, fields: Fields) -> Block | None:
        if level == 0:
            held = self.blocks.get(low)
            # Cells of before a plan that asked for more do not answer what they never held.
            return held if held is not None and fields <= held.columns.keys() else None
        key = (fields, level, low)
        if key not in self._nodes:
            every = _all(len(self.rows))
            total = self._together(level, low, every, fields)
            span = FAN**level * self.resolution
            self._nodes[key] = None if total is None else block(total, span)
        return self._nodes[key]

    def _together(self, level: int, low: int, rows: Rows, fields: Fields) -> Cells | None:
        step = FAN ** (level - 1)
        total: Cells | None = None
        for at in range(low, low + FAN * step, step):
            node = self._node(level - 1, at, fields)
            if node is not None:
                part = rebased(node.cells(fields, rows), low * self.resolution)
                total = part if total is None else merged(total, part)
        return total


_MARKS = NEWEST | {Field.COUNT}
_FEW = 4
_FOLDS = 32


def _worth(columns: Columns, first: int, until: int, step: int) -> Iterable[int]:
    """The cells to look at: after a long silence only those that have samples."""
    if until - first <= _FEW:
        return range(first, until)
    held = np.arange(columns.times.shape[1]) < columns.counts[:, None]
    inside = held & (columns.times > first * step) & (columns.times <= until * step)
    numbers: list[int] = np.unique((columns.times[inside] - 1) // step).tolist()
    return numbers


def _all(size: int) -> Rows:
    return np.arange(size)
