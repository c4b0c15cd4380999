"""Aggregations over groups of series; who is in which group is worked out once per set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql import labels as label
from processors.promql import sums
from processors.promql.columns import Floats, Rows, SeriesSet
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.nodes import Moment, Node, vector
from processors.promql.tree import Kind
from processors.promql.vector import Vector, nothing, numbered

# Groups of very different sizes would make the padded matrix mostly padding: then one by one.
_PADDING = 8


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows in order of (group, labels), so that a sum does not depend on the order of series."""

    series: SeriesSet
    order: Rows
    ids: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The present values of each group, group after group."""

    values: Floats
    starts: Rows
    counts: Rows

    def padded(self) -> Floats:
        """A row a group; zeros change no sum."""
        place = np.arange(len(self.values)) - np.repeat(self.starts, self.counts)
        matrix = np.zeros((len(self.counts), int(self.counts.max())))
        matrix[np.repeat(np.arange(len(self.counts)), self.counts), place] = self.values
        return matrix

    def each(self, apply: Callable[[Floats, Rows], Floats]) -> Floats:
        """Applies a function of padded rows, without padding where it would dwarf the values."""
        if int(self.counts.max()) * len(self.counts) <= _PADDING * len(self.values) + 1024:
            return apply(self.padded(), self.counts)
        parts = np.split(self.values, self.starts[1:])
        alone = zip(parts, self.counts, strict=True)
        return np.concatenate([apply(part[None, :], count[None]) for part, count in alone])


AGGREGATIONS: Mapping[str, Callable[[Members], Floats]] = {
    "sum": lambda members: members.each(lambda rows, _: sums.total(rows)),
    "avg": lambda members: members.each(sums.mean),
    "min": lambda members: np.fmin.reduceat(members.values, members.starts),
    "max": lambda members: np.fmax.reduceat(members.values, members.starts),
    "count": lambda members: members.counts.astype(np.float64),
    "group": lambda members: np.ones(len(members.counts)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Aggregated:
    """An aggregation `by` or `without` labels."""

    apply: Callable[[Members], Floats]
    inner: Node
    by: bool
    labels: tuple[str, ...]
    known: WeakKeyDictionary[SeriesSet, Groups] = field(default_factory=WeakKeyDictionary)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        inner = vector(self.inner, moment)
        groups = self.known.get(inner.series)
        if groups is None:
            groups = self.known[inner.series] = self._grouped(inner.series)
        here = inner.present[groups.order]
        rows = groups.order[here]
        if not rows.size:
            return nothing()
        sizes = np.bincount(groups.ids[here], minlength=len(groups.series))
        present = sizes > 0
        counts = sizes[present]
        starts = np.cumsum(counts) - counts
        values = np.zeros(len(sizes))
        values[present] = self.apply(Members(inner.values[rows], starts, counts))
        return Vector(groups.series, values, present)

    def _grouped(self, series: SeriesSet) -> Groups:
        keys = [self._key(each) for each in series.labels]
        ids, distinct = numbered(keys)
        numbers = ids.tolist()
        order = sorted(range(len(keys)), key=lambda row: (numbers[row], series.labels[row]))
        rows = np.array(order, dtype=np.intp)
        return Groups(SeriesSet(tuple(distinct)), rows, ids[rows])

    def _key(self, labels: Labels) -> Labels:
        if self.by:
            return label.only(labels, self.labels)
        return label.without(labels, {METRIC_NAME, *self.labels})
