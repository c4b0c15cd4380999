"""`histogram_quantile`, `histogram_quantiles` and `histogram_fraction` over series with `le`.

Which series are buckets of one histogram is worked out once per set of series.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf, isinf, isnan
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql import labels as label
from processors.promql.buckets import Buckets, matrix, quantile
from processors.promql.columns import Floats, Mask, Rows, SeriesSet
from processors.promql.labels import Labels
from processors.promql.nodes import Moment, Node, scalar, vector
from processors.promql.tree import Kind
from processors.promql.vector import Vector, nothing, numbered

BUCKET = "le"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"([+-]?)inf(?:inity)?", re.IGNORECASE)
_HEXADECIMAL = re.compile(
    r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+"
)


def bound(text: str) -> float | None:
    """A bucket's upper bound as Go's `ParseFloat` reads it, or nothing where that fails."""
    if _DECIMAL.fullmatch(text):
        value = float(text)
    elif _HEXADECIMAL.fullmatch(text):
        try:
            value = float.fromhex(text)
        except OverflowError:
            return None
    else:
        infinite = _INFINITE.fullmatch(text)
        return None if infinite is None else -inf if infinite[1] == "-" else inf
    return None if isinf(value) else value


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Rows in order of (histogram, bound); a row without a bound is in no histogram."""

    series: SeriesSet
    order: Rows
    ids: Rows
    bounds: Floats


class Histograms:
    """What belongs together, of every set of series met."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[SeriesSet, Layout] = WeakKeyDictionary()

    def of(self, vector: Vector) -> tuple[SeriesSet, Mask, Buckets]:
        """The histograms of a vector, which of them are there, and the buckets of those."""
        layout = self._known.get(vector.series)
        if layout is None:
            layout = self._known[vector.series] = _laid_out(vector.series)
        here = vector.present[layout.order]
        rows, ids, bounds = layout.order, layout.ids, layout.bounds
        if not here.all():
            rows, ids, bounds = rows[here], ids[here], bounds[here]
        values = vector.values[rows]
        if len(ids) > 1:
            again = (ids[1:] == ids[:-1]) & (bounds[1:] == bounds[:-1])
            if again.any():  # le="1" beside le="1.0"
                first = np.concatenate(([0], np.flatnonzero(~again) + 1))
                ids, bounds, values = ids[first], bounds[first], np.add.reduceat(values, first)
        sizes = np.bincount(ids, minlength=len(layout.series))
        present = sizes > 0
        sizes = sizes[present]
        return layout.series, present, matrix(bounds, values, sizes)


def _laid_out(series: SeriesSet) -> Layout:
    read = [bound(label.get(each, BUCKET)) for each in series.labels]
    rows = [row for row, upper in enumerate(read) if upper is not None]
    # With the name: two metrics are two histograms, whose results then have the same labels.
    ids, distinct = numbered([label.without(series.labels[row], (BUCKET,)) for row in rows])
    bounds = np.array([read[row] for row in rows], dtype=np.float64)
    order = np.lexsort((bounds, ids)) if rows else np.zeros(0, np.intp)
    names: list[Labels] = [label.unnamed(each) for each in distinct]
    place = np.array(rows, dtype=np.intp)
    return Layout(SeriesSet(tuple(names)), place[order], ids[order], bounds[order])


def numeral(value: float) -> str:
    """A number as Go's OpenMetrics writer has it: `0.5`, `1.0`, `1e+06`, `1e-05`."""
    if isnan(value) or isinf(value):
        return "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return repr(value or 0.0)
    digits, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
    return f"{digits}e{int(exponent):+03d}"


Measure: TypeAlias = Callable[..., Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """A measure of each classic histogram; series without a readable `le` are left out."""

    measure: Measure
    scalars: tuple[Node, ...]
    inner: Node
    histograms: Histograms = field(default_factory=Histograms)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        scalars = [scalar(node, moment) for node in self.scalars]
        series, present, buckets = self.histograms.of(vector(self.inner, moment))
        if not present.any():
            return nothing()
        values = np.zeros(len(series))
        values[present] = self.measure(buckets, *scalars)
        return Vector(series, values, present).checked()


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """`histogram_quantiles`: several quantiles, told apart by a label."""

    name: str
    shares: tuple[Node, ...]
    inner: Node
    histograms: Histograms = field(default_factory=Histograms)
    known: WeakKeyDictionary[SeriesSet, dict[tuple[str, ...], SeriesSet]] = field(
        default_factory=WeakKeyDictionary
    )
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        shares = [scalar(node, moment) for node in self.shares]
        series, present, buckets = self.histograms.of(vector(self.inner, moment))
        if not present.any():
            return nothing()
        values = np.zeros((len(shares), len(series)))
        values[:, present] = [quantile(buckets, share) for share in shares]
        texts = tuple(numeral(share) for share in shares)
        return Vector(
            self._labelled(series, texts), values.ravel(), np.tile(present, len(shares))
        ).checked()

    def _labelled(self, series: SeriesSet, texts: tuple[str, ...]) -> SeriesSet:
        known = self.known.setdefault(series, {})
        if texts not in known:
            known.clear()  # of scalars that change with time
            known[texts] = SeriesSet(
                tuple(
                    label.with_(each, self.name, text) for text in texts for each in series.labels
                )
            )
        return known[texts]
