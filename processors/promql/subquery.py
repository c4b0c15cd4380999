"""Subqueries: an expression at every step of a range, put together as the columns of a range."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql.columns import Columns, Floats, Mask, Rows, SeriesSet, Times
from processors.promql.nodes import Moment, Node, Reference, vector
from processors.promql.sweep import bounded, sweep
from processors.promql.vector import EMPTY, Vector, numbered, twins


def steps(start: int, end: int, step: int) -> range:
    """The multiples of `step` in (start, end]."""
    return range((start // step + 1) * step, end + 1, step)


class Merged:
    """Vectors of many instants as columns; which row a series has is worked out once per set."""

    def __init__(self) -> None:
        self._rows: WeakKeyDictionary[SeriesSet, Rows] = WeakKeyDictionary()
        self._union = EMPTY

    def columns(self, vectors: Sequence[Vector], times: Times) -> Columns:
        """The present values, a row a series, ascending in time."""
        sets = {id(each.series): each.series for each in vectors if each.series is not EMPTY}
        if not sets:
            return Columns(
                EMPTY, np.zeros((0, 0), np.int64), np.zeros((0, 0)), np.zeros(0, np.intp)
            )
        if len(sets) == 1 and twins(next(iter(sets.values()))) is None:
            series = next(iter(sets.values()))
            if len(vectors) == sum(each.series is series for each in vectors):
                values = np.stack([each.values for each in vectors], axis=1)
                present = np.stack([each.present for each in vectors], axis=1)
                return packed(series, times, values, present)
            return packed(series, times, *_scattered(vectors, len(series), None))
        rows = self._placed(list(sets.values()))
        return packed(self._union, times, *_scattered(vectors, len(self._union), rows))

    def _placed(self, sets: list[SeriesSet]) -> "WeakKeyDictionary[SeriesSet, Rows]":
        if any(each not in self._rows for each in sets):
            # Made anew of the sets that are there now, so that sets long gone leave nothing.
            ids, distinct = numbered([labels for each in sets for labels in each.labels])
            ends = np.cumsum([len(each) for each in sets])
            self._union = SeriesSet(tuple(distinct))
            self._rows = WeakKeyDictionary(zip(sets, np.split(ids, ends[:-1]), strict=True))
        return self._rows


@dataclass(frozen=True, slots=True, eq=False)
class Stepped:
    """A subquery as a source of range vectors."""

    inner: Node
    window: int
    step: int
    reference: Reference
    merged: Merged = field(default_factory=Merged)

    def read(self, moment: Moment) -> tuple[Columns, int, int]:
        end = self.reference.of(moment)
        start = end - self.window
        times = steps(start, end, self.step)
        ticks = np.arange(times.start, times.stop, times.step)
        if len(times) > 1:
            grid = sweep(self.inner, moment, ticks)
            if grid is not None:
                return packed(grid.series, ticks, grid.values, grid.present), start, end
        source, lookback, inner = moment.source, moment.lookback, self.inner
        bounds, step = moment.bounds, moment.step
        found: list[Vector] = []
        size = 0
        for at in times:
            each = vector(inner, Moment(source, at, lookback, bounds, step))
            size += len(each.series)
            bounded(size)
            found.append(each)
        return self.merged.columns(found, ticks), start, end


def _scattered(
    vectors: Sequence[Vector], size: int, rows: "WeakKeyDictionary[SeriesSet, Rows] | None"
) -> tuple[Floats, Mask]:
    values = np.zeros((size, len(vectors)))
    present = np.zeros((size, len(vectors)), dtype=np.bool_)
    for place, each in enumerate(vectors):
        if each.series is EMPTY:
            continue
        if rows is None:
            values[:, place], present[:, place] = each.values, each.present
            continue
        at = rows[each.series][each.present]
        values[at, place] = each.values[each.present]
        present[at, place] = True
    return values, present


def packed(series: SeriesSet, times: Times, values: Floats, present: Mask) -> Columns:
    """A grid as columns: each row's present values moved to its front."""
    counts = np.asarray(np.count_nonzero(present, axis=1), dtype=np.intp)
    size, width = present.shape
    if bool((counts == width).all()):
        return Columns(series, np.broadcast_to(times, (size, width)), values, counts)
    order = np.argsort(~present, axis=1, kind="stable")
    return Columns(series, times[order], np.take_along_axis(values, order, axis=1), counts)
