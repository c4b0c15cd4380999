"""Cells side by side, one a series, and how those of two neighbouring spans become one.

Putting together is associative up to rounding. A row without samples changes nothing, to the bit,
so that what is decided does not depend on which other series there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from processors.partials.fields import TIMES, Field, Fields, wide
from processors.promql.columns import Floats, Mask

Column: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column of `size` rows for each field; times count from `base` (ms)."""

    base: int
    size: int
    columns: Mapping[Field, Column]

    def __getitem__(self, field: Field) -> Column:
        return self.columns[field]


def nothing(base: int, size: int, fields: Fields) -> Cells:
    """Cells without samples."""
    return Cells(base, size, {field: np.zeros(size, wide(field)) for field in fields})


def rebased(cells: Cells, base: int) -> Cells:
    """The same cells, their times counted from an earlier base."""
    shift = cells.base - base
    if not shift:
        return cells
    columns = dict(cells.columns)
    for field, column in columns.items():
        if field in TIMES:
            columns[field] = np.where(column > 0, column + shift, 0)
        elif field is Field.MEAN_AT:
            columns[field] = column + shift / 1000
    return Cells(base, cells.size, columns)


def merged(earlier: Cells, later: Cells) -> Cells:
    """Both as one, with the base of the earlier; they have the same fields and rows."""
    pair = _Pair(earlier, rebased(later, earlier.base))
    columns = {field: _RULES[field](pair, field) for field in earlier.columns}
    return Cells(earlier.base, earlier.size, columns)


class _Pair:
    """Two cells, and what several fields ask about them."""

    def __init__(self, a: Cells, b: Cells) -> None:
        self.a, self.b = a, b

    @cached_property
    def has_earlier(self) -> Mask:
        found: Mask = self.a[Field.COUNT] > 0
        return found

    @cached_property
    def has_later(self) -> Mask:
        found: Mask = self.b[Field.COUNT] > 0
        return found

    @cached_property
    def both(self) -> Mask:
        return self.has_earlier & self.has_later

    @cached_property
    def share(self) -> Floats:
        """Of the later in all samples."""
        n, m = self.a[Field.COUNT], self.b[Field.COUNT]
        share: Floats = m / np.maximum(n + m, 1)
        return share

    @cached_property
    def weight(self) -> Floats:
        """n·m / (n + m): by which the distance of two means counts."""
        weight: Floats = self.a[Field.COUNT] * self.share
        return weight

    def apart(self, field: Field) -> Floats:
        """How far the later mean is from the earlier."""
        distance: Floats = self.b[field] - self.a[field]
        return distance

    def joined(self, field: Field, value: Column) -> Column:
        """The value where both have samples, else that of the one which has."""
        if self.both.all():
            return value
        return np.where(self.both, value, np.where(self.has_later, self.b[field], self.a[field]))


_Rule: TypeAlias = Callable[[_Pair, Field], Column]


def _added(pair: _Pair, field: Field) -> Column:
    total: Column = pair.a[field] + pair.b[field]
    return pair.joined(field, total)


def _earlier(pair: _Pair, field: Field) -> Column:
    return np.where(pair.has_earlier, pair.a[field], pair.b[field])


def _later(pair: _Pair, field: Field) -> Column:
    return np.where(pair.has_later, pair.b[field], pair.a[field])


def _newest(pair: _Pair, field: Field) -> Column:
    return np.where(pair.b[Field.NEWEST_AT] > 0, pair.b[field], pair.a[field])


def _before(pair: _Pair, field: Field) -> Column:
    last = Field.LAST if field is Field.BEFORE else Field.LAST_AT
    count = pair.b[Field.COUNT]
    alone = np.where(count == 1, pair.a[last], pair.a[field])
    return np.where(count > 1, pair.b[field], alone)


def _lost(pair: _Pair, field: Field) -> Column:
    last = pair.a[Field.LAST]
    between = np.where(pair.b[Field.FIRST] < last, last, 0.0)
    total: Column = pair.a[field] + between + pair.b[field]
    return pair.joined(field, total)


def _resets(pair: _Pair, field: Field) -> Column:
    total: Column = pair.a[field] + pair.b[field] + (pair.b[Field.FIRST] < pair.a[Field.LAST])
    return pair.joined(field, total)


def _changes(pair: _Pair, field: Field) -> Column:
    before, now = pair.a[Field.LAST], pair.b[Field.FIRST]
    differs = (now != before) & ~(np.isnan(now) & np.isnan(before))
    total: Column = pair.a[field] + pair.b[field] + differs
    return pair.joined(field, total)


def _low(pair: _Pair, field: Field) -> Column:
    return pair.joined(field, np.fmin(pair.a[field], pair.b[field]))


def _high(pair: _Pair, field: Field) -> Column:
    return pair.joined(field, np.fmax(pair.a[field], pair.b[field]))


def _mean(pair: _Pair, field: Field) -> Column:
    # Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm" (1979).
    mean: Column = pair.a[field] + pair.apart(field) * pair.share
    return pair.joined(field, mean)


def _deviations(one: Field, other: Field) -> _Rule:
    def rule(pair: _Pair, field: Field) -> Column:
        between = pair.apart(one) * pair.apart(other) * pair.weight
        total: Column = pair.a[field] + pair.b[field] + between
        return pair.joined(field, total)

    return rule


_RULES: Mapping[Field, _Rule] = {
    Field.COUNT: _added,
    Field.FIRST: _earlier,
    Field.FIRST_AT: _earlier,
    Field.LAST: _later,
    Field.LAST_AT: _later,
    Field.BEFORE: _before,
    Field.BEFORE_AT: _before,
    Field.LOST: _lost,
    Field.RESETS: _resets,
    Field.CHANGES: _changes,
    Field.SUM: _added,
    Field.LOW: _low,
    Field.HIGH: _high,
    Field.MEAN: _mean,
    Field.SQUARES: _deviations(Field.MEAN, Field.MEAN),
    Field.MEAN_AT: _mean,
    Field.TIME_SQUARES: _deviations(Field.MEAN_AT, Field.MEAN_AT),
    Field.PRODUCTS: _deviations(Field.MEAN_AT, Field.MEAN),
    Field.NEWEST: _newest,
    Field.NEWEST_AT: _newest,
}
