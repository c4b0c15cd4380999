"""Samples of up to 4,096 series: a matrix with time going down and a column for every series.

Batches write neighbouring columns of one slot, sums run down the slots over many series at once:
neither has to turn the matrix round. Times are 32-bit milliseconds from a base, which every
evaluation gives back as 64-bit epochs.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from processors.promql.columns import Floats, Rows, Times

ROWS = 4_096
_FIRST_SLOTS = 8
_FIRST_ROWS = 16
_FAR = 2**30
"""ms between the base and now, at the most: some 12 days."""
_Matrix = TypeVar("_Matrix", NDArray[np.int32], Floats)


class Ring:
    """Series in columns, each with `counts` samples from slot 0 on, ascending in time.

    A time holds its first value. `reach` (ms) says how far back samples are needed; older ones go
    when a column is full, and the matrix grows only when they do not suffice.
    """

    __slots__ = ("_base", "_times", "_values", "counts", "reach", "size")

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.size = 0
        self.counts: Rows = np.zeros(_FIRST_ROWS, np.intp)
        self._base = 0
        self._times: NDArray[np.int32] = np.zeros((_FIRST_SLOTS, _FIRST_ROWS), np.int32)
        self._values: Floats = np.zeros((_FIRST_SLOTS, _FIRST_ROWS))

    def __len__(self) -> int:
        return self.size

    @property
    def nbytes(self) -> int:
        """Bytes of the matrices."""
        return self._times.nbytes + self._values.nbytes + self.counts.nbytes

    @property
    def full(self) -> bool:
        """Whether it takes no more series."""
        return self.size >= ROWS

    def add_series(self) -> int:
        """A column for one more series; its number."""
        if self.size == len(self.counts):
            more = min(ROWS, self.size + max(_FIRST_ROWS, self.size // 2)) - self.size
            self._times = np.pad(self._times, ((0, 0), (0, more)))
            self._values = np.pad(self._values, ((0, 0), (0, more)))
            self.counts = np.pad(self.counts, (0, more))
        self.size += 1
        return self.size - 1

    def drop(self, keep: NDArray[np.bool_]) -> None:
        """Forget the series that are not kept; the others move up in their order."""
        self._times = self._times[:, : self.size][:, keep]
        self._values = self._values[:, : self.size][:, keep]
        self.counts = self.counts[: self.size][keep]
        self.size = len(self.counts)

    def last_times(self) -> Times:
        """The time (ms) of each series' newest sample; 0 for a series without any."""
        counts = self.counts[: self.size]
        last = self._times[np.maximum(counts - 1, 0), np.arange(self.size)].astype(np.int64)
        return np.where(counts > 0, last + self._base, 0)

    def newest(self, rows: Rows | slice, end: int) -> tuple[Times, Floats, Rows]:
        """Time and value of each row's last sample up to `end`, and how many it has up to there."""
        counts = self._reached(rows, end)
        held = np.maximum(counts - 1, 0)
        columns = np.arange(self.size)[rows] if isinstance(rows, slice) else rows
        times = self._times[held, columns].astype(np.int64)
        times += self._base
        return times, self._values[held, columns], counts

    def part(
        self, rows: Rows | slice, start: int, end: int
    ) -> tuple[NDArray[np.int64], Floats, Rows]:
        """Times, values (time going down) and counts of the rows; at least (start, end] is there.

        Where the rows keep step, slots that lie outside are left out.
        """
        counts = self.counts[: self.size][rows]
        low = self._passed(rows, counts, start)
        high = int(counts.max(initial=0))
        if low:
            counts = np.maximum(counts - low, 0)
        times = self._times[low:high, : self.size][:, rows].astype(np.int64)
        times += self._base
        return times, self._values[low:high, : self.size][:, rows], counts

    def insert(self, rows: Rows, times: Times, values: Floats, now: int) -> int:
        """Add samples, sorted by row and within a row in order of arrival; how many were repeats.

        A sample whose time a row has already is a repeat: the first one stays.
        """
        fresh = times > now - self.reach
        if not fresh.all():
            rows, times, values = rows[fresh], times[fresh], values[fresh]
        if not len(rows):
            return 0
        if not -_FAR < now - self._base < _FAR:
            self._rebase(now)
        return self._insert(rows, (times - self._base).astype(np.int32), values, now)

    def _insert(self, rows: Rows, times: NDArray[np.int32], values: Floats, now: int) -> int:
        new = np.empty(len(rows), np.bool_)
        new[0] = True
        np.not_equal(rows[1:], rows[:-1], out=new[1:])
        single = bool(new.all())
        starts = np.flatnonzero(new)
        heads = rows if single else rows[starts]
        lengths = np.ones_like(starts) if single else np.diff(starts, append=len(rows))
        held = self.counts[heads]
        if int((held + lengths).max()) > len(self._times):
            self._make_room(heads, lengths, now)
            held = self.counts[heads]
        last = self._times[np.maximum(held - 1, 0), heads]
        if single:
            before = last
        else:
            before = np.empty_like(times)
            before[1:] = times[:-1]
            before[starts] = last
        first = held == 0
        later = (times > before) | (first if single else new & np.repeat(first, lengths))
        if later.all():
            slots = held if single else np.arange(len(rows)) + np.repeat(held - starts, lengths)
            self._times[slots, rows] = times
            self._values[slots, rows] = values
            self.counts[heads] = held + lengths
            return 0
        ordered = np.logical_and.reduceat(later, starts)
        return self._merge(rows, times, values, starts, lengths, ordered, now)

    def _merge(
        self,
        rows: Rows,
        times: NDArray[np.int32],
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
            repeats += self._insert(rows[good], times[good], values[good], now)
        for start, length in zip(starts[~ordered], lengths[~ordered], strict=True):
            row, end = rows[start], start + length
            held = self.counts[row]
            merged_times = np.concatenate((self._times[:held, row], times[start:end]))
            merged_values = np.concatenate((self._values[:held, row], values[start:end]))
            unique, first = np.unique(merged_times, return_index=True)
            self._times[: len(unique), row] = unique
            self._values[: len(unique), row] = merged_values[first]
            self.counts[row] = len(unique)
            repeats += len(merged_times) - len(unique)
        return repeats

    def _make_room(self, heads: Rows, lengths: Rows, now: int) -> None:
        """Drop what is out of reach; grow when that leaves less than a tenth free."""
        size, slots = self.size, len(self._times)
        counts = self.counts[:size]
        horizon = now - self.reach - self._base
        gone = _reached(self._times[:, :size], counts, horizon)
        kept = counts - gone
        wanted = kept.copy()
        wanted[heads] += lengths
        need = max(int(wanted.max()), int(kept.max()) * 11 // 10 + 2)
        room = slots
        if need > slots:
            room = max(need, slots + slots // 8)
        elif need * 2 < slots:
            room = max(need, _FIRST_SLOTS)
        self._times = _moved_up(self._times, gone, size, room)
        self._values = _moved_up(self._values, gone, size, room)
        self.counts[:size] = kept

    def _rebase(self, now: int) -> None:
        base = now
        moved = self._times.astype(np.int64) + (self._base - base)
        self._times = np.maximum(moved, np.iinfo(np.int32).min).astype(np.int32)
        self._base = base

    def _reached(self, rows: Rows | slice, at: int) -> Rows:
        """How many samples of each row are not after `at`."""
        counts = self.counts[: self.size][rows]
        return _reached(self._times[:, : self.size], counts, at - self._base, rows)

    def _passed(self, rows: Rows | slice, counts: Rows, start: int) -> int:
        """How many leading slots hold nothing after `start` in any row."""
        if not len(counts):
            return 0
        start -= self._base
        times = self._times[:, : self.size]
        first = rows.start or 0 if isinstance(rows, slice) else int(rows[0])
        guess = int(np.searchsorted(times[: counts[0], first], start, side="right"))
        # Series of different agents are a sample apart at most, where they keep step.
        for passed in (guess, guess - 1):
            if (
                passed > 0
                and int(counts.min()) >= passed
                and times[passed - 1, rows].max() <= start
            ):
                return passed
        return 0


def _reached(
    times: NDArray[np.int32], counts: Rows, at: int, rows: Rows | slice = slice(None)
) -> Rows:
    columns = np.arange(times.shape[1])[rows] if isinstance(rows, slice) else rows
    if bool((times[np.maximum(counts - 1, 0), columns] <= at).all()):
        return counts  # nothing is newer: the everyday case of an instant that is now
    low, high = np.zeros_like(counts), counts.copy()
    for _ in range(len(times).bit_length()):
        middle = (low + high) >> 1
        older = (middle < high) & (times[np.minimum(middle, len(times) - 1), columns] <= at)
        low = np.where(older, middle + 1, low)
        high = np.where(older, high, middle)
    return low


def _moved_up(matrix: _Matrix, gone: Rows, size: int, room: int) -> _Matrix:
    """The matrix with `room` slots, each column without its first `gone` samples."""
    new = np.zeros((room, matrix.shape[1]), matrix.dtype)
    if not size:
        return new
    least, most = int(gone.min()), int(gone.max())
    for shift in range(least, most + 1) if most - least <= 2 else ():
        some = gone == shift if least < most else slice(None)
        rest = matrix[shift:, :size][:room]
        new[: len(rest), :size][:, some] = rest[:, some]
    if most - least > 2:
        slots = np.minimum(np.arange(min(room, len(matrix)))[:, None] + gone, len(matrix) - 1)
        new[: len(slots), :size] = np.take_along_axis(matrix[:, :size], slots, axis=0)
    return new
