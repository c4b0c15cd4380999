"""Operators with `fill`: a number stands for the series that the other side lacks."""

from dataclasses import dataclass, field

import numpy as np

from processors.promql.columns import SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels
from processors.promql.matching import (
    AMBIGUOUS,
    MANY_TO_ONE,
    Pairs,
    joined,
    partners,
    signature,
)
from processors.promql.nodes import Moment, Node, vector
from processors.promql.operators import ARITHMETIC, COMPARISONS
from processors.promql.tree import Cardinality, Kind, Matching
from processors.promql.vector import EMPTY, Vector


@dataclass(slots=True)
class _Last:
    """The result's series at the last instant."""

    series: SeriesSet = EMPTY


@dataclass(slots=True)
class _Results:
    """The pairs found so far, one value of either side each."""

    labels: list[Labels] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    matched: dict[int, set[Labels]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """An operator between two vectors, series by series, in the way of Prometheus."""

    op: str
    left: Node
    right: Node
    returns_bool: bool
    matching: Matching
    pairs: Pairs
    last: _Last = field(default_factory=_Last)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        left, right = vector(self.left, moment), vector(self.right, moment)
        swapped = self.matching.cardinality is Cardinality.ONE_TO_MANY
        found = self._paired(*((right, left) if swapped else (left, right)))
        many, one = np.array(found.many), np.array(found.one)
        ours, theirs = (one, many) if swapped else (many, one)
        if tuple(found.labels) != self.last.series.labels:
            self.last.series = SeriesSet(tuple(found.labels))
        every = np.ones(len(ours), dtype=np.bool_)
        if self.op in ARITHMETIC:
            return Vector(self.last.series, ARITHMETIC[self.op](ours, theirs), every).checked()
        kept = COMPARISONS[self.op](ours, theirs)
        if self.returns_bool:
            return Vector(self.last.series, kept.astype(np.float64), every).checked()
        return Vector(self.last.series, ours, kept).checked()

    def _paired(self, many: Vector, one: Vector) -> _Results:
        row, matched, numbers = partners(many, one, self.pairs)
        results, matching = _Results(), self.matching
        ones = one.values.tolist()
        for i in np.flatnonzero(many.present).tolist():
            labels, value = many.series.labels[i], float(many.values[i])
            number = int(numbers.left[i])
            if matched[i]:
                other = int(row[i])
                self._add(results, number, labels, one.series.labels[other], value, ones[other])
            elif matching.fill_right is not None:
                partner = signature(labels, matching)
                self._add(results, number, labels, partner, value, matching.fill_right)
        if matching.fill_left is not None:
            for i in np.flatnonzero(one.present).tolist():
                labels, number = one.series.labels[i], int(numbers.right[i])
                if number not in results.matched:
                    partner = signature(labels, matching)
                    self._add(results, number, partner, labels, matching.fill_left, ones[i])
        return results

    def _add(
        self, to: _Results, number: int, many: Labels, one: Labels, value: float, other: float
    ) -> None:
        drops = self.returns_bool or self.op in ARITHMETIC
        labels = joined(many, one, self.matching, drops)
        known = to.matched.setdefault(number, set())
        if self.matching.cardinality is Cardinality.ONE_TO_ONE:
            if known:
                raise EvaluationFailed(MANY_TO_ONE)
        elif labels in known:
            raise EvaluationFailed(AMBIGUOUS)
        known.add(labels)
        to.labels.append(labels)
        to.many.append(value)
        to.one.append(other)
