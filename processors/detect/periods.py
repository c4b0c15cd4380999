"""Sums by period: rings of what was counted in each, and how much that is in any window.

A period of P ms is (n P, (n + 1) P]. Only the finest ring is counted into; a coarser one takes over
each of its periods when that has passed, so that an instant writes one column.
"""

from dataclasses import dataclass

import numpy as np

from processors.detect.sheet import Block
from processors.promql.columns import Floats, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """A ring of columns; `finer` is what knows the period that has not passed yet."""

    block: Block
    period: int
    finer: "Periods | None" = None

    def add(self, end: int, rows: Rows, amounts: Floats) -> None:
        """Count amounts [field, row] as of `end` (ms), which never goes back."""
        number = (end - 1) // self.period
        column = number % self.block.layout.width
        if self.block.stamps[column] != number:
            self.block.clear(column, number)
        self.block.values[column][:, rows] += amounts
        self.block.touch(column)

    def advance(self, before: int, now: int) -> None:
        """Time goes from one `end` to the next: take over the period that has passed."""
        assert self.finer is not None
        number = (before - 1) // self.period
        if (now - 1) // self.period > number:
            column = number % self.block.layout.width
            whole = self.finer.sum(number * self.period, (number + 1) * self.period)
            self.block.clear(column, number)[:] = whole
            self.block.touch(column)

    def sum(self, start: int, end: int) -> Floats:
        """What was counted in (start, end] by [field, row]; nothing was counted after `end`.

        Of the oldest period counts the share that lies in the window.
        """
        if start >= end:
            return np.zeros(self.block.values.shape[1:])
        first, last = start // self.period, (end - 1) // self.period
        if first == last:
            began = last * self.period
            return self._open(last, end) * ((end - start) / (end - began))
        share = ((first + 1) * self.period - start) / self.period
        return self._closed(first, first + 1) * share + (
            self._closed(first + 1, last) + self._open(last, end)
        )

    def _open(self, number: int, end: int) -> Floats:
        if self.finer is None:
            return self._closed(number, number + 1)
        return self.finer.sum(number * self.period, end)

    def _closed(self, first: int, stop: int) -> Floats:
        """The sum of periods by number."""
        block, width = self.block, self.block.layout.width
        numbers = np.arange(first, stop)
        columns = numbers % width
        known = block.stamps[columns] == numbers
        if not known.all():
            found: Floats = np.add.reduce(block.values[columns[known]], axis=0)
            return found
        low, size = first % width, stop - first
        found = np.add.reduce(block.values[low : min(low + size, width)], axis=0)
        if low + size > width:
            found = found + np.add.reduce(block.values[: low + size - width], axis=0)
        return found
