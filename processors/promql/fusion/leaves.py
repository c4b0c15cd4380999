"""Batches that read: samples of many selectors in one call a ring, and what runs alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from processors.promql.columns import Columns, Floats, Mask, Rows, SeriesSet, Source, Times
from processors.promql.errors import EvaluationFailed
from processors.promql.fusion.batches import Registers
from processors.promql.kernels.registry import RangeKernel
from processors.promql.nodes import Node, Reference
from processors.promql.selector import Selector
from processors.promql.vector import EMPTY, Vector
from processors.promql.window import cut, stale


class Located(Protocol):
    """The series of a selector in label order, and their numbers."""

    @property
    def series(self) -> SeriesSet:
        """The same object while the set is the same."""
        ...

    @property
    def numbers(self) -> Rows:
        """Where the samples of each are."""
        ...


Which = Rows | slice


class Reader(Protocol):
    """The samples of some numbered series."""

    def newest(self, end: int) -> Iterator[tuple[Which, Times, Floats, Rows]]:
        """Which of the series, their last time and value up to `end`, how many up to there."""
        ...

    def columns(self, start: int, end: int) -> Iterator[tuple[Which, Columns]]:
        """Which of the series, and at least their samples in (start, end]."""
        ...


class Numbered(Source, Protocol):
    """A source whose series have numbers, so that rows are found once for many evaluations."""

    @property
    def generation(self) -> object:
        """Equal while no series joined or was forgotten."""
        ...

    def locate(self, selector: Selector) -> Located:
        """The series that match."""
        ...

    def reader(self, numbers: Rows) -> Reader:
        """The samples of these series; good for one generation."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Instants:
    """The newest samples, or their times, of a reader's series; `rows` puts them into order."""

    out: slice
    reader: Reader
    size: int
    rows: Rows | None
    reference: Reference
    lookback: int
    timed: bool

    def run(self, registers: Registers) -> None:
        end = self.reference.of(registers.moment)
        start = end - self.lookback
        found = np.empty(self.size)
        present = np.empty(self.size, dtype=np.bool_)
        for which, times, values, counts in self.reader.newest(end):
            here: Mask = (times > start) & (counts > 0)
            if np.isnan(values).any():
                here &= ~stale(values)
            present[which] = here
            found[which] = times / 1000 if self.timed else values
        _put(registers, self.out, found, present, self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """A function over the range of a reader's series."""

    out: slice
    reader: Reader
    size: int
    rows: Rows | None
    reference: Reference
    window: int
    kernel: RangeKernel
    scalars: tuple[float, ...]

    def run(self, registers: Registers) -> None:
        end = self.reference.of(registers.moment)
        start = end - self.window
        found = np.zeros(self.size)
        present = np.zeros(self.size, dtype=np.bool_)
        for which, columns in self.reader.columns(start, end):
            window = cut(columns, start, end, registers.moment.at)
            here = window.counts >= self.kernel.least
            if here.any():
                found[which] = self.kernel.apply(window, *self.scalars)
                present[which] = here
        _put(registers, self.out, found, present, self.rows)


def _put(registers: Registers, out: slice, found: Floats, present: Mask, rows: Rows | None) -> None:
    registers.values[out] = found if rows is None else found[rows]
    registers.present[out] = present if rows is None else present[rows]


@dataclass(frozen=True, slots=True, eq=False)
class Solo:
    """A step that runs on the plain engine; its series may be others than were linked."""

    out: slice
    node: Node
    lookback: int
    series: SeriesSet | None
    step: int

    def run(self, registers: Registers) -> None:
        given = registers.moment
        moment = type(given)(given.source, given.at, self.lookback, given.bounds, given.step)
        try:
            value = self.node.run(moment)
        except EvaluationFailed:
            registers.failed.add(self.step)
            registers.present[self.out] = False
            return
        if not isinstance(value, Vector):
            registers.values[self.out] = value
            registers.present[self.out] = True
        elif value.series is self.series:
            registers.values[self.out] = value.values
            registers.present[self.out] = value.present
        else:
            registers.present[self.out] = False
            if value.series is not EMPTY and value.present.any():
                registers.moved.add(self.step)
                registers.failed.add(self.step)
