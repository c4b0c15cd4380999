"""The samples of (start, end] of each row: contiguous, and without stale markers."""

from dataclasses import dataclass

import numpy as np

from processors.promql.columns import STALE_BITS, Columns, Floats, Mask, Rows, Times

# Up to this many columns a comparison of the whole matrix beats a binary search in every row.
_NARROW = 48


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Row i holds samples in [first[i], last[i]) of its columns; `inside` is None where all are.

    `at` is the instant of the evaluation, which `offset` and `@` move away from `end`.
    """

    at: int
    start: int
    end: int
    times: Times
    values: Floats
    first: Rows
    last: Rows
    inside: Mask | None

    @property
    def counts(self) -> Rows:
        """How many samples each row has."""
        return self.last - self.first

    def filled(self, value: float) -> Floats:
        """The values, with `value` wherever there is no sample."""
        return self.values if self.inside is None else np.where(self.inside, self.values, value)

    def pairs(self) -> Mask | None:
        """Which neighbouring columns are both samples; None where all are."""
        return None if self.inside is None else self.inside[:, 1:] & self.inside[:, :-1]

    def back(self, places: int = 0) -> tuple[Times, Floats]:
        """Time and value of each row's last sample, or of one before it."""
        if self.inside is None and places < self.times.shape[1]:
            return self.times[:, -1 - places], self.values[:, -1 - places]
        return self._at(self.last - 1 - places)

    def front(self) -> tuple[Times, Floats]:
        """Time and value of each row's first sample."""
        return (
            (self.times[:, 0], self.values[:, 0]) if self.inside is None else self._at(self.first)
        )

    def _at(self, columns: Rows) -> tuple[Times, Floats]:
        # Clipped, so that rows without enough samples answer anything: kernels never see them out.
        rows = np.arange(len(columns))
        columns = np.clip(columns, 0, self.times.shape[1] - 1)
        return self.times[rows, columns], self.values[rows, columns]


def window_of(
    at: int, bounds: tuple[int, int], times: Times, values: Floats, counts: Rows
) -> Window:
    """A window of rows whose samples all lie at their front."""
    first = np.zeros_like(counts)
    window = Window(at, *bounds, times, values, first, counts, _inside(first, counts, times))
    return _without_stale(window)


def counted(mask: Mask) -> Rows:
    """How many are true in each row."""
    return np.asarray(np.count_nonzero(mask, axis=1), dtype=np.intp)


def reached(times: Times, counts: Rows, at: int) -> Rows:
    """How many samples of each row are not after `at`."""
    size, width = times.shape
    if width == 0 or size == 0:
        return np.zeros(size, dtype=np.intp)
    rows = np.arange(size)
    if not np.count_nonzero(times[rows, np.maximum(counts - 1, 0)] > at):
        return counts  # nothing is newer: the everyday case of an instant that is now
    edge = _edge(times, counts, at)
    if edge is not None:
        return np.full(size, edge, dtype=np.intp)
    if width <= _NARROW:
        return counted((times <= at) & (np.arange(width) < counts[:, None]))
    low = np.zeros(size, dtype=np.intp)
    high = counts.copy()
    for _ in range(width.bit_length()):
        middle = (low + high) >> 1
        older = (middle < high) & (times[rows, np.minimum(middle, width - 1)] <= at)
        low = np.where(older, middle + 1, low)
        high = np.where(older, high, middle)
    return low


def _edge(times: Times, counts: Rows, at: int) -> int | None:
    """How many samples of every row are not after `at`, where that is the same for all.

    Series of one agent have the same times: what holds for the first row often holds for all.
    """
    size, width = times.shape
    place = int(times[0, : counts[0]].searchsorted(at, side="right"))
    if np.count_nonzero(counts >= place) < size:
        return None
    if place and np.count_nonzero(times[:, place - 1] > at):
        return None
    if place < width and np.count_nonzero((times[:, place] <= at) & (counts > place)):
        return None
    return place


def cut(columns: Columns, start: int, end: int, at: int) -> Window:
    """Bounds columns to (start, end], as an evaluation at `at` sees them."""
    times, values, counts = columns.times, columns.values, columns.counts
    if counts.size and times.size:
        high = _edge(times, counts, end)
        low = None if high is None else _edge(times, counts, start)
        if high is not None and low is not None:
            last = np.full(len(counts), max(high - low, 0), dtype=np.intp)
            kept = slice(low, max(low, high))
            none = np.zeros(len(counts), dtype=np.intp)
            found = Window(at, start, end, times[:, kept], values[:, kept], none, last, None)
            return _without_stale(found)
    last = reached(times, counts, end)
    first = np.minimum(reached(times, counts, start), last)
    if not last.size or not (last > first).any():
        none = np.zeros(len(counts), dtype=np.intp)
        return Window(at, start, end, times[:, :0], values[:, :0], none, none, None)
    low, high = int(first.min()), int(last.max())
    width = int((last - first).max())
    if high - low <= 2 * width + 4:
        times, values = times[:, low:high], values[:, low:high]
        first, last = first - low, last - low
    else:
        # Rows lie far apart (series that began at different times): gather each one's own part.
        rows = np.arange(len(counts))[:, None]
        wanted = np.minimum(first[:, None] + np.arange(width), times.shape[1] - 1)
        times, values = times[rows, wanted], values[rows, wanted]
        first, last = np.zeros_like(first), last - first
    return _without_stale(
        Window(at, start, end, times, values, first, last, _inside(first, last, times))
    )


def _inside(first: Rows, last: Rows, times: Times) -> Mask | None:
    width = times.shape[1]
    if not first.any() and bool((last == width).all()):
        return None
    column = np.arange(width)
    inside: Mask = (column >= first[:, None]) & (column < last[:, None])
    return inside


def stale(values: Floats) -> Mask:
    """Which values are stale markers."""
    marks: Mask = values.view(np.int64) == STALE_BITS
    return marks


def _without_stale(window: Window) -> Window:
    # Comparing bits of a strided slice is dear; NaN of any kind is rare and cheap to rule out.
    if not np.count_nonzero(np.isnan(window.values)):
        return window
    marks = stale(np.ascontiguousarray(window.values))
    if window.inside is not None:
        marks &= window.inside
    if not marks.any():
        return window
    kept = ~marks if window.inside is None else window.inside & ~marks
    order = np.argsort(~kept, axis=1, kind="stable")
    rows = np.arange(len(order))[:, None]
    times, values = window.times[rows, order], window.values[rows, order]
    last = counted(kept)
    first = np.zeros_like(last)
    inside = _inside(first, last, times)
    return Window(window.at, window.start, window.end, times, values, first, last, inside)


def newest(columns: Columns, start: int, end: int) -> tuple[Times, Floats, Mask]:
    """The last sample of each row in (start, end], and whether it counts (a stale one does not)."""
    times, values, counts = columns.times, columns.values, columns.counts
    size, width = times.shape
    if width == 0:
        return np.zeros(size, np.int64), np.zeros(size), np.zeros(size, np.bool_)
    rows = np.arange(size)
    held = counts - 1
    when = times[rows, held]
    if np.count_nonzero(when > end):
        held = reached(times, counts, end) - 1
        when = times[rows, held]
    value = values[rows, held]
    present: Mask = (when > start) & (held >= 0)
    if np.count_nonzero(np.isnan(value)):
        present &= ~stale(value)
    return when, value, present
