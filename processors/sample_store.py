"""The samples of numbered series: rings of 4,096, by how far back their series are needed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from processors.promql.columns import Columns, Floats, Mask, Rows, SeriesSet, Times
from processors.ring import ROWS, Ring

_SHIFT = ROWS.bit_length() - 1
_UNREAD = SeriesSet(())
"""The labels of rows that are told by their numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where series are: of each ring its rows, and which of the asked these are."""

    size: int
    parts: tuple[tuple[int, Rows | slice, Rows | slice], ...]


def places(numbers: Rows) -> Places:
    """Where the series of these numbers are, in their order."""
    rings = numbers >> _SHIFT
    if len(numbers) and bool((rings == rings[0]).all()):
        return Places(len(numbers), ((int(rings[0]), _rows(numbers), slice(None)),))
    order = np.argsort(rings, kind="stable")
    bounds = np.flatnonzero(np.diff(rings[order], prepend=-1, append=-1))
    return Places(
        len(numbers),
        tuple(
            (int(rings[order[start]]), _rows(numbers[order[start:end]]), _run(order[start:end]))
            for start, end in pairwise(bounds)
        ),
    )


def _rows(numbers: Rows) -> Rows | slice:
    return _run(numbers & (ROWS - 1))


def _run(numbers: Rows) -> Rows | slice:
    """A slice where the numbers follow one another: it is cheaper to take."""
    first = int(numbers[0])
    if int(numbers[-1]) - first + 1 == len(numbers) and bool((np.diff(numbers) == 1).all()):
        return slice(first, first + len(numbers))
    return numbers


class SampleStore:
    """Rings of series; a number says the ring and the row in it."""

    def __init__(self) -> None:
        self._rings: list[Ring] = []
        self._open: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of all matrices."""
        return sum(ring.nbytes for ring in self._rings)

    def add_series(self, reach: int) -> int:
        """Room for a series that is needed `reach` ms back; its number."""
        number = self._open.get(reach)
        if number is None or self._rings[number].full:
            number = self._open[reach] = self._with_room(reach)
        return (number << _SHIFT) | self._rings[number].add_series()

    def insert(self, numbers: Rows, times: Times, values: Floats, now: int) -> int:
        """Add samples, for each series in order of arrival; how many were repeats."""
        if not bool((numbers[1:] > numbers[:-1]).all()):
            order = np.argsort(numbers, kind="stable")
            numbers, times, values = numbers[order], times[order], values[order]
        rings = numbers >> _SHIFT
        bounds = [0, len(numbers)]
        if rings[0] != rings[-1]:
            bounds[1:1] = (np.flatnonzero(rings[1:] != rings[:-1]) + 1).tolist()
        repeats = 0
        for start, end in pairwise(bounds):
            rows = numbers[start:end] & (ROWS - 1)
            ring = self._rings[int(rings[start])]
            repeats += ring.insert(rows, times[start:end], values[start:end], now)
        return repeats

    def parts(
        self, where: Places, start: int, end: int
    ) -> Iterator[tuple[Rows | slice, Times, Floats, Rows]]:
        """Of each ring: which of the asked, times and values going down, counts."""
        for ring, rows, which in where.parts:
            yield which, *self._rings[ring].part(rows, start, end)

    def columns(self, series: SeriesSet, where: Places, start: int, end: int) -> Columns:
        """At least the samples of (start, end]."""
        if len(where.parts) == 1:
            ring, rows, _ = where.parts[0]
            times, values, counts = self._rings[ring].part(rows, start, end)
            return Columns(series, times.T, values.T, counts)
        found = list(self.parts(where, start, end))
        slots = max((len(times) for _, times, _, _ in found), default=0)
        all_times = np.zeros((slots, where.size), np.int64)
        all_values = np.zeros((slots, where.size))
        counts = np.zeros(where.size, np.intp)
        for which, times, values, held in found:
            all_times[: len(times), which] = times
            all_values[: len(values), which] = values
            counts[which] = held
        return Columns(series, all_times.T, all_values.T, counts)

    def newest(self, where: Places, end: int) -> Iterator[tuple[Rows | slice, Times, Floats, Rows]]:
        """Of each ring: which of the asked, their last time and value up to `end`, how many."""
        for ring, rows, which in where.parts:
            yield which, *self._rings[ring].newest(rows, end)

    def _with_room(self, reach: int) -> int:
        for number, ring in enumerate(self._rings):
            if ring.reach == reach and not ring.full:
                return number
        self._rings.append(Ring(reach))
        return len(self._rings) - 1

    def alive(self, now: int) -> list[Mask]:
        """Of each ring which series have had something within reach."""
        return [ring.last_times() > now - ring.reach for ring in self._rings]

    def drop(self, keep: list[Mask]) -> Rows:
        """Forget the series that are not kept; the new number of each old one, −1 if gone."""
        moved = np.full(len(self._rings) << _SHIFT, -1, np.intp)
        for number, (ring, kept) in enumerate(zip(self._rings, keep, strict=True)):
            rows = np.flatnonzero(kept) + (number << _SHIFT)
            moved[rows] = (number << _SHIFT) + np.arange(len(rows))
            ring.drop(kept)
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class StoreReader:
    """The samples of series whose places are known; reads what was taken up to then."""

    store: Callable[[], SampleStore]
    where: Places

    def newest(self, end: int) -> Iterator[tuple[Rows | slice, Times, Floats, Rows]]:
        """Which of the series, their last time and value up to `end`, how many up to there."""
        return self.store().newest(self.where, end)

    def columns(self, start: int, end: int) -> Iterator[tuple[Rows | slice, Columns]]:
        """Which of the series, and at least their samples in (start, end]."""
        for which, times, values, counts in self.store().parts(self.where, start, end):
            yield which, Columns(_UNREAD, times.T, values.T, counts)
