"""`sort`, `sort_desc`, `sort_by_label` and `sort_by_label_desc`: the order of the answer."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql import labels as label
from processors.promql.columns import Rows, SeriesSet
from processors.promql.labels import Labels
from processors.promql.nodes import Moment, Node, vector
from processors.promql.tree import Kind
from processors.promql.vector import Vector

Arrange: TypeAlias = Callable[[Vector], Rows]

_CHUNKS = re.compile(r"[0-9]+|[^0-9]+")
_MOST = 2**63


@dataclass(slots=True)
class _Arranged:
    """A set of series in the order that it had last."""

    rows: Rows
    series: SeriesSet


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """The same vector with its rows in another order."""

    arrange: Arrange
    inner: Node
    known: WeakKeyDictionary[SeriesSet, _Arranged] = field(default_factory=WeakKeyDictionary)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        inner = vector(self.inner, moment)
        rows = self.arrange(inner)
        known = self.known.get(inner.series)
        if known is None or not np.array_equal(known.rows, rows):
            labels = inner.series.labels
            series = SeriesSet(tuple(labels[row] for row in rows.tolist()))
            known = self.known[inner.series] = _Arranged(rows, series)
        return Vector(known.series, inner.values[rows], inner.present[rows])


def rising(vector: Vector) -> Rows:
    """By value, NaN last; equal ones as they were."""
    return np.argsort(vector.values, kind="stable")


def falling(vector: Vector) -> Rows:
    """By value from the greatest, NaN last; equal ones as they were."""
    return np.argsort(-vector.values, kind="stable")


class ByLabels:
    """The order by labels in natural order, then by all labels; worked out once per set."""

    def __init__(self, names: tuple[str, ...], *, descending: bool) -> None:
        self._names, self._sign = names, -1 if descending else 1
        self._known: WeakKeyDictionary[SeriesSet, Rows] = WeakKeyDictionary()

    def __call__(self, vector: Vector) -> Rows:
        known = self._known.get(vector.series)
        if known is None:
            labels = vector.series.labels
            key = cmp_to_key(self._compared)
            order = sorted(range(len(labels)), key=lambda row: key(labels[row]))
            known = self._known[vector.series] = np.array(order, dtype=np.intp)
        return known

    def _compared(self, one: Labels, other: Labels) -> int:
        for name in self._names:
            mine, theirs = label.get(one, name), label.get(other, name)
            if mine != theirs:
                return -self._sign if precedes(mine, theirs) else self._sign
        return self._sign * ((one > other) - (one < other))


def precedes(one: str, other: str) -> bool:
    """Natural order as github.com/facette/natsort has it: runs of digits are numbers.

    What is empty comes first; there it neither precedes anything nor is preceded.
    """
    if not one:
        return other != ""
    mine, theirs = _CHUNKS.findall(one), _CHUNKS.findall(other)
    for place, (a, b) in enumerate(zip(mine, theirs, strict=False)):
        x, y = _number(a), _number(b)
        same = x == y if x is not None and y is not None else a == b
        if not same:
            return x < y if x is not None and y is not None else a < b
        if place == len(mine) - 1:
            return True
        if place == len(theirs) - 1:
            return False
    return False


def _number(chunk: str) -> int | None:
    return (
        int(chunk) if chunk[0] in "0123456789" and len(chunk) < 20 and int(chunk) < _MOST else None
    )
