"""Raw samples into cells: the same numbers whenever it is done, as long as the samples are."""

import numpy as np

from processors.partials.cells import Cells, Column, nothing
from processors.partials.fields import NEWEST, Field, Fields, wide
from processors.promql import sums
from processors.promql.columns import Columns, Floats, Mask
from processors.promql.kernels import over_time, rates
from processors.promql.window import Window, cut, reached


def measured(columns: Columns, start: int, end: int, fields: Fields) -> Cells:
    """What (start, end] of each row holds; `start` is the base."""
    size = len(columns.counts)
    found: dict[Field, Column] = {}
    if fields & NEWEST:
        found |= _newest(columns, start, end)
    if fields - NEWEST:
        window = cut(columns, start, end, end)
        if not window.counts.any():
            found = dict(nothing(start, size, fields).columns) | found
        else:
            found |= _Measuring(window, fields).all()
    return Cells(
        start, size, {field: found[field].astype(wide(field), copy=False) for field in fields}
    )


def _newest(columns: Columns, start: int, end: int) -> dict[Field, Column]:
    """The newest sample, a stale marker too: that a series ended is what an instant must know."""
    size, width = columns.times.shape
    if not width or not size:
        return dict(nothing(start, size, NEWEST).columns)
    held = reached(columns.times, columns.counts, end) - 1
    rows, place = np.arange(size), np.maximum(held, 0)
    times = columns.times[rows, place]
    present = (held >= 0) & (times > start)
    # By choice and not by arithmetic, which would make another NaN of a stale marker.
    return {
        Field.NEWEST: np.where(present, columns.values[rows, place], 0.0),
        Field.NEWEST_AT: np.where(present, times - start, 0),
    }


class _Measuring:
    """One window that has samples in some row."""

    def __init__(self, window: Window, fields: Fields) -> None:
        self.window, self.fields = window, fields
        self.counts = window.counts
        self.has: Mask = self.counts > 0

    def all(self) -> dict[Field, Column]:
        """Every field, zero in rows without samples."""
        found = {Field.COUNT: self.counts, **self.ends(), **self.falls(), **self.spread()}
        window = self.window
        for field, kernel in (
            (Field.SUM, over_time.total),
            (Field.LOW, over_time.low),
            (Field.HIGH, over_time.high),
            (Field.CHANGES, rates.changes),
            (Field.RESETS, rates.resets),
        ):
            if field in self.fields:
                found[field] = kernel(window)
        return {field: np.where(self.has, column, 0) for field, column in found.items()}

    def ends(self) -> dict[Field, Column]:
        """The first sample, the last, and the one before it."""
        window = self.window
        first_at, first = window.front()
        last_at, last = window.back()
        before_at, before = window.back(1)
        two = self.counts > 1
        return {
            Field.FIRST: first,
            Field.FIRST_AT: first_at - window.start,
            Field.LAST: last,
            Field.LAST_AT: last_at - window.start,
            Field.BEFORE: np.where(two, before, 0.0),
            Field.BEFORE_AT: np.where(two, before_at - window.start, 0),
        }

    def falls(self) -> dict[Field, Column]:
        """What resets took from a counter."""
        if Field.LOST not in self.fields:
            return {}
        values = self.window.values
        fell = rates.drops(self.window)
        if not fell.any():
            return {Field.LOST: np.zeros(len(values))}
        return {Field.LOST: sums.total(np.where(fell, values[:, :-1], 0.0))}

    def spread(self) -> dict[Field, Column]:
        """Means, and sums of squared distances from them."""
        found: dict[Field, Column] = {}
        if Field.MEAN not in self.fields and Field.MEAN_AT not in self.fields:
            return found
        window = self.window
        # Distances from the first value: a level line has exactly its own value for a mean.
        first = window.front()[1]
        mean = first + self.mean(window.values - first[:, None])
        away = self.masked(window.values - mean[:, None])
        found[Field.MEAN] = mean
        if Field.SQUARES in self.fields:
            found[Field.SQUARES] = sums.total(away * away)
        if Field.MEAN_AT in self.fields:
            seconds = (window.times - window.start) / 1000
            mean_at = self.mean(seconds)
            apart = self.masked(seconds - mean_at[:, None])
            found[Field.MEAN_AT] = mean_at
            found[Field.TIME_SQUARES] = sums.total(apart * apart)
            found[Field.PRODUCTS] = sums.total(apart * away)
        return found

    def mean(self, rows: Floats) -> Floats:
        means: Floats = sums.total(self.masked(rows)) / np.maximum(self.counts, 1)
        return means

    def masked(self, rows: Floats) -> Floats:
        inside = self.window.inside
        return rows if inside is None else np.where(inside, rows, 0.0)
