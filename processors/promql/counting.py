"""`count_values`: how often each value occurs, the value being a label."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import isinf, isnan

import numpy as np

from processors.promql import labels as label
from processors.promql.columns import SeriesSet
from processors.promql.grouping import Grouping
from processors.promql.labels import Labels
from processors.promql.nodes import Moment, Node, vector
from processors.promql.tree import Kind
from processors.promql.vector import Vector, nothing


@dataclass(slots=True)
class _Last:
    """The result's series at the last instant: values come back more often than not."""

    series: SeriesSet


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """`count_values`; `grouping` knows the new label too."""

    name: str
    inner: Node
    grouping: Grouping
    last: _Last = field(default_factory=lambda: _Last(SeriesSet(())))
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        counts: dict[Labels, int] = {}
        for labels, value in vector(self.inner, moment).items():
            group = self.grouping.key(label.with_(labels, self.name, written(value)))
            counts[group] = counts.get(group, 0) + 1
        if not counts:
            return nothing()
        if tuple(counts) != self.last.series.labels:
            self.last.series = SeriesSet(tuple(counts))
        values = np.fromiter(counts.values(), np.float64, len(counts))
        return Vector(self.last.series, values, np.ones(len(counts), dtype=np.bool_))


def written(value: float) -> str:
    """A number as Go's `FormatFloat(value, 'f', -1, 64)` writes it."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")
