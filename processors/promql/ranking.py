"""`topk`, `bottomk`, `limitk` and `limit_ratio`: aggregations that keep series as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql.columns import Floats, Rows, SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.grouping import Grouping, Members
from processors.promql.hashing import hashed
from processors.promql.labels import Labels
from processors.promql.nodes import Moment, Node, scalar, vector
from processors.promql.tree import Kind
from processors.promql.vector import Vector, nothing

Order: TypeAlias = Callable[[Members], Rows]

_MOST = 2.0**63


def _falling(members: Members) -> Rows:
    values = members.values
    return np.lexsort((-values, np.isnan(values), members.numbers()))


def _rising(members: Members) -> Rows:
    values = members.values
    return np.lexsort((values, np.isnan(values), members.numbers()))


ORDERS: Mapping[str, Order] = {
    "topk": _falling,
    "bottomk": _rising,
    "limitk": lambda members: np.arange(len(members.values)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The first so many of each group, in some order; equal ones in the order of labels."""

    order: Order
    param: Node
    inner: Node
    grouping: Grouping
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        number, inner = scalar(self.param, moment), vector(self.inner, moment)
        if number < 1:
            return nothing()
        if np.isnan(number):
            raise EvaluationFailed("Parameter value is NaN")
        if number >= _MOST:
            raise EvaluationFailed(f"Scalar value {_text(number)} overflows int64")
        members = self.grouping.of(inner.series).members(inner)
        first = members.places() < int(number)
        kept = np.zeros(len(inner.series), dtype=np.bool_)
        kept[members.rows[self.order(members)[first]]] = True
        return Vector(inner.series, inner.values, kept)

    def listed(self, vector: Vector) -> list[tuple[Labels, float]]:
        """The series of a result, group by group in this order."""
        members = self.grouping.of(vector.series).members(vector)
        order = self.order(members)
        rows, values = members.rows[order].tolist(), members.values[order].tolist()
        return [(vector.series.labels[row], value) for row, value in zip(rows, values, strict=True)]


def _text(number: float) -> str:
    return "+Inf" if number == np.inf else repr(number)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """`limit_ratio`: the series whose hash is below the ratio, or above where it is negative."""

    param: Node
    inner: Node
    places: WeakKeyDictionary[SeriesSet, Floats] = field(default_factory=WeakKeyDictionary)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        ratio, inner = scalar(self.param, moment), vector(self.inner, moment)
        if ratio == 0:
            return nothing()
        if np.isnan(ratio):
            raise EvaluationFailed("Ratio value is NaN")
        places = self.places.get(inner.series)
        if places is None:
            hashes = [hashed(labels) / 2.0**64 for labels in inner.series.labels]
            places = self.places[inner.series] = np.array(hashes)
        chosen = places < min(ratio, 1.0) if ratio > 0 else places >= 1.0 + max(ratio, -1.0)
        return Vector(inner.series, inner.values, inner.present & chosen)
