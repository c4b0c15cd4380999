"""One metric's samples: a matrix of series by time, kept in label order."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from processors.promql.columns import Columns, Floats, Rows, SeriesSet, Times
from processors.promql.labels import Labels

_FIRST_SLOTS = 16
_NEVER = np.iinfo(np.int64).min
_Matrix = TypeVar("_Matrix", Times, Floats)


class Ring:
    """Rows of (time, value), ascending in time and left-aligned; a time holds its first value.

    `reach` (ms) says how far back samples are needed; older ones go when a row is full, and the
    matrix widens only when they do not suffice.
    """

    __slots__ = ("_series", "_sorted", "counts", "labels", "reach", "times", "values")

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.labels: list[Labels] = []
        self.times: Times = np.zeros((0, _FIRST_SLOTS), np.int64)
        self.values: Floats = np.zeros((0, _FIRST_SLOTS), np.float64)
        self.counts: Rows = np.zeros(0, np.intp)
        self._series = SeriesSet(())
        self._sorted = True

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrices."""
        return self.times.nbytes + self.values.nbytes + self.counts.nbytes

    def add_series(self, labels: Labels) -> int:
        """A new row at the end; where it is until the next `sort`."""
        row = len(self.labels)
        self.labels.append(labels)
        self._sorted = False
        if row >= len(self.counts):
            more = max(8, row)
            self.times = taller(self.times, more)
            self.values = taller(self.values, more)
            self.counts = np.concatenate([self.counts, np.zeros(more, np.intp)])
        return row

    def sort(self) -> Rows | None:
        """Bring the rows into label order; where each row went, or None if nothing moved."""
        if self._sorted:
            return None
        order = sorted(range(len(self.labels)), key=self.labels.__getitem__)
        self._sorted = True
        self.labels = [self.labels[row] for row in order]
        self._series = SeriesSet(tuple(self.labels))
        took = np.asarray(order, np.intp)
        size = len(order)
        self.times = self.times[took]
        self.values = self.values[took]
        self.counts = self.counts[:size][took]
        moved = np.empty(size, np.intp)
        moved[took] = np.arange(size)
        return moved

    def drop(self, keep: NDArray[np.bool_]) -> None:
        """Forget the rows that are not kept; the order stays."""
        rows = np.flatnonzero(keep[: len(self.labels)])
        self.labels = [self.labels[row] for row in rows]
        self._series = SeriesSet(tuple(self.labels))
        self.times = self.times[rows]
        self.values = self.values[rows]
        self.counts = self.counts[rows]

    def columns(self) -> Columns:
        """All rows as a view; call `sort` before."""
        size = len(self.labels)
        counts = self.counts[:size]
        width = int(counts.max(initial=0))
        return Columns(self._series, self.times[:size, :width], self.values[:size, :width], counts)

    def last_times(self) -> Times:
        """The time of each row's newest sample; 0 for a row without any."""
        size = len(self.labels)
        counts = self.counts[:size]
        last = self.times[np.arange(size), np.maximum(counts - 1, 0)]
        return np.where(counts > 0, last, 0)

    def insert(self, rows: Rows, times: Times, values: Floats, now: int) -> int:
        """Add samples, sorted by row and within a row in order of arrival; how many were repeats.

        A sample whose time a row has already is a repeat: the first one stays.
        """
        starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
        lengths = np.diff(np.concatenate((starts, [len(rows)])))
        heads = rows[starts]
        held = self.counts[heads]
        if int((held + lengths).max()) > self.times.shape[1]:
            self._make_room(heads, lengths, now)
            held = self.counts[heads]
        last = np.where(
            held > 0, self.times[heads, np.maximum(held - 1, 0)], np.iinfo(np.int64).min
        )
        before = np.empty_like(times)
        before[1:] = times[:-1]
        before[starts] = last
        ordered = np.minimum.reduceat(times > before, starts)
        if ordered.all():
            slots = np.arange(len(rows)) + np.repeat(held - starts, lengths)
            self.times[rows, slots] = times
            self.values[rows, slots] = values
            self.counts[heads] = held + lengths
            return 0
        return self._merge(rows, times, values, starts, lengths, ordered, now)

    def _merge(
        self,
        rows: Rows,
        times: Times,
        values: Floats,
        starts: Rows,
        lengths: Rows,
        ordered: NDArray[np.bool_],
        now: int,
    ) -> int:
        """Late or repeated samples: the rows that have them one by one, the others as ever."""
        good = np.repeat(ordered, lengths)
        repeats = 0
        if good.any():
            repeats += self.insert(rows[good], times[good], values[good], now)
        for start, length in zip(starts[~ordered], lengths[~ordered], strict=True):
            row, end = rows[start], start + length
            held = self.counts[row]
            merged_times = np.concatenate((self.times[row, :held], times[start:end]))
            merged_values = np.concatenate((self.values[row, :held], values[start:end]))
            unique, first = np.unique(merged_times, return_index=True)
            self.times[row, : len(unique)] = unique
            self.values[row, : len(unique)] = merged_values[first]
            self.counts[row] = len(unique)
            repeats += len(merged_times) - len(unique)
        return repeats

    def _make_room(self, heads: Rows, lengths: Rows, now: int) -> None:
        """Drop what is out of reach; widen when that leaves less than half of the row free."""
        size = len(self.labels)
        width = self.times.shape[1]
        horizon = now - self.reach
        slots = np.arange(width)
        valid = slots < self.counts[:size, None]
        gone = ((self.times[:size] <= horizon) & valid).sum(axis=1)
        kept = self.counts[:size] - gone
        wanted = kept.copy()
        wanted[heads] += lengths
        need = max(int(wanted.max()), int(kept.max(initial=0)) * 2)
        room = width
        while room < need:
            room *= 2
        if int(gone.min(initial=0)) == int(gone.max(initial=0)):
            shift = int(gone[0]) if size else 0
            old_times, old_values = self.times[:, shift:], self.values[:, shift:]
        else:
            source = np.minimum(slots + gone[:, None], width - 1)
            old_times = self.times.copy()
            old_values = self.values.copy()
            old_times[:size] = np.take_along_axis(self.times[:size], source, axis=1)
            old_values[:size] = np.take_along_axis(self.values[:size], source, axis=1)
        self.times = np.zeros((len(self.counts), room), np.int64)
        self.values = np.zeros((len(self.counts), room), np.float64)
        self.times[:, : old_times.shape[1]] = old_times
        self.values[:, : old_values.shape[1]] = old_values
        self.counts[:size] = kept


def taller(matrix: _Matrix, more: int) -> _Matrix:
    """The matrix with `more` empty rows below."""
    return np.pad(matrix, ((0, more), (0, 0)))


def wider(matrix: _Matrix, width: int) -> _Matrix:
    """The matrix with empty columns up to `width`."""
    missing = width - matrix.shape[1]
    return np.pad(matrix, ((0, 0), (0, missing))) if missing else matrix
