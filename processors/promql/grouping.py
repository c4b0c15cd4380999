"""Which series an aggregation puts together: worked out once per set of series."""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql import labels as label
from processors.promql.columns import Floats, Mask, Rows, SeriesSet
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.vector import Vector, every, numbered

# Groups of very different sizes would make the padded matrix mostly padding: then one by one.
_PADDING = 8


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows in order of (group, labels), so that a sum does not depend on the order of series."""

    series: SeriesSet
    order: Rows
    ids: Rows
    sizes: Rows
    starts: Rows

    def members(self, vector: Vector) -> "Members":
        """The present values of a vector of these series."""
        if every(vector.present):
            rows, groups = self.order, np.ones(len(self.sizes), dtype=np.bool_)
            return Members(vector.values[rows], self.starts, self.sizes, rows, groups)
        here = vector.present[self.order]
        rows = self.order[here]
        sizes = np.bincount(self.ids[here], minlength=len(self.sizes))
        present = sizes > 0
        counts = sizes[present]
        return Members(vector.values[rows], np.cumsum(counts) - counts, counts, rows, present)


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The present values of each group, group after group; `groups` says which groups have any."""

    values: Floats
    starts: Rows
    counts: Rows
    rows: Rows
    groups: Mask

    def padded(self) -> Floats:
        """A row a group; zeros change no sum."""
        if len(self.counts) == 1:
            return self.values[None, :]
        matrix = np.zeros((len(self.counts), int(self.counts.max())))
        matrix[self.numbers(), self.places()] = self.values
        return matrix

    def numbers(self) -> Rows:
        """Each value's group, counted among those that have any."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def places(self) -> Rows:
        """Each value's place in its group."""
        return np.arange(len(self.values)) - np.repeat(self.starts, self.counts)

    def lists(self) -> list[list[float]]:
        """The values of each group."""
        values = self.values.tolist()
        bounds = zip(self.starts.tolist(), self.counts.tolist(), strict=True)
        return [values[start : start + count] for start, count in bounds]

    def each(self, apply: Callable[[Floats, Rows], Floats]) -> Floats:
        """Applies a function of padded rows, without padding where it would dwarf the values."""
        if int(self.counts.max()) * len(self.counts) <= _PADDING * len(self.values) + 1024:
            return apply(self.padded(), self.counts)
        parts = np.split(self.values, self.starts[1:])
        alone = zip(parts, self.counts, strict=True)
        return np.concatenate([apply(part[None, :], count[None]) for part, count in alone])


class Grouping:
    """Grouping `by` or `without` labels."""

    def __init__(self, by: bool, labels: tuple[str, ...]) -> None:
        self.by = by
        self.labels = frozenset(labels if by else (METRIC_NAME, *labels))
        self._known: WeakKeyDictionary[SeriesSet, Groups] = WeakKeyDictionary()

    def of(self, series: SeriesSet) -> Groups:
        """The groups of a set."""
        known = self._known.get(series)
        if known is None:
            known = self._known[series] = self._grouped(series)
        return known

    def key(self, labels: Labels) -> Labels:
        """The labels of the group that a series is in."""
        return (label.only if self.by else label.without)(labels, self.labels)

    def _grouped(self, series: SeriesSet) -> Groups:
        keys = [self.key(each) for each in series.labels]
        ids, distinct = numbered(keys)
        numbers = ids.tolist()
        order = sorted(range(len(keys)), key=lambda row: (numbers[row], series.labels[row]))
        rows = np.array(order, dtype=np.intp)
        sizes = np.bincount(ids, minlength=len(distinct))
        return Groups(SeriesSet(tuple(distinct)), rows, ids[rows], sizes, np.cumsum(sizes) - sizes)
