"""Binary operators between scalars and vectors."""

from dataclasses import dataclass, field

import numpy as np

from processors.promql.columns import Floats, Mask, Rows, SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.matching import AMBIGUOUS, MANY_TO_ONE, Pairs, Signatures, joined, partners
from processors.promql.nodes import Moment, Node, scalar, vector
from processors.promql.operators import ARITHMETIC, COMPARISONS, Operation
from processors.promql.tree import Cardinality, Kind, Matching
from processors.promql.vector import Pairwise, Vector, nameless, nothing, repeats, some, twins


@dataclass(frozen=True, slots=True)
class Scalars:
    """An operator between two scalars; a comparison is 0 or 1."""

    apply: Operation
    left: Node
    right: Node
    kind: Kind = Kind.SCALAR

    def run(self, moment: Moment) -> float:
        left, right = np.float64(scalar(self.left, moment)), np.float64(scalar(self.right, moment))
        return float(self.apply(left, right))


@dataclass(frozen=True, slots=True)
class WithScalar:
    """An operator between a vector and a scalar on either side."""

    op: str
    vector: Node
    scalar: Node
    swapped: bool
    returns_bool: bool
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        if self.swapped:  # in the order written: the error that is told is the first one
            number, held = scalar(self.scalar, moment), vector(self.vector, moment)
        else:
            held, number = vector(self.vector, moment), scalar(self.scalar, moment)
        arithmetic = ARITHMETIC.get(self.op)
        apply = arithmetic or COMPARISONS[self.op]
        found = apply(number, held.values) if self.swapped else apply(held.values, number)
        if arithmetic is not None:
            return nameless(held.series, found, held.present)
        if self.returns_bool:
            return nameless(held.series, found.astype(np.float64), held.present)
        return Vector(held.series, held.values, held.present & found)


@dataclass(slots=True)
class Joined:
    """The result's series for the rows last joined; made anew only when partners change."""

    rows: Rows
    series: SeriesSet


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """An operator between two vectors whose series match one to one or many to one."""

    op: str
    left: Node
    right: Node
    returns_bool: bool
    matching: Matching
    pairs: Pairs
    results: Pairwise[Joined] = field(default_factory=Pairwise)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        left, right = vector(self.left, moment), vector(self.right, moment)
        if not some(left.present) or not some(right.present):
            return nothing()
        swapped = self.matching.cardinality is Cardinality.ONE_TO_MANY
        many, one = (right, left) if swapped else (left, right)
        row, matched, found = partners(many, one, self.pairs)
        series = self.series(many.series, one.series, row)
        self._distinct(series, matched, found)
        other = one.values[row]
        ours, theirs = (other, many.values) if swapped else (many.values, other)
        values, kept = self.values(ours, theirs, matched)
        return Vector(series, values, kept).checked()

    def values(self, left: Floats, right: Floats, matched: Mask) -> tuple[Floats, Mask]:
        """The result of rows that are side by side, and which of them are left."""
        arithmetic = ARITHMETIC.get(self.op)
        if arithmetic is not None:
            return arithmetic(left, right), matched
        kept = COMPARISONS[self.op](left, right)
        if self.returns_bool:
            return kept.astype(np.float64), matched
        return left, matched & kept

    def _distinct(self, series: SeriesSet, matched: Mask, found: Signatures) -> None:
        if self.matching.cardinality is Cardinality.ONE_TO_ONE:
            if not found.left_unique and repeats(found.left[matched]):
                raise EvaluationFailed(MANY_TO_ONE)
            return
        ids = twins(series)
        if ids is None:
            return
        rows = np.flatnonzero(matched)
        if repeats(ids[rows] * found.count + found.left[rows]):
            raise EvaluationFailed(AMBIGUOUS)

    def series(self, many: SeriesSet, one: SeriesSet, row: Rows) -> SeriesSet:
        """The result's series, where each row of `many` meets its `row` of `one`."""
        known = self.results.get(many, one)
        if known is not None and (
            known.rows is row or not self.matching.include or np.array_equal(known.rows, row)
        ):
            return known.series
        partner, matching = row.tolist(), self.matching
        drops = self.returns_bool or self.op in ARITHMETIC
        series = SeriesSet(
            tuple(
                joined(each, one.labels[partner[i]] if partner[i] >= 0 else (), matching, drops)
                for i, each in enumerate(many.labels)
            )
        )
        self.results.put(many, one, Joined(row, series))
        return series


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """`and`, `unless` and `or`."""

    op: str
    left: Node
    right: Node
    pairs: Pairs
    unions: Pairwise[SeriesSet] = field(default_factory=Pairwise)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        left, right = vector(self.left, moment), vector(self.right, moment)
        found = self.pairs.between(left.series, right.series)
        if self.op == "or":
            theirs = right.present & ~_holds(found.left[left.present], found.right, found.count)
            return Vector(
                self.union(left.series, right.series),
                np.concatenate((left.values, right.values)),
                np.concatenate((left.present, theirs)),
            ).checked()
        held = _holds(found.right[right.present], found.left, found.count)
        kept = left.present & (held if self.op == "and" else ~held)
        return Vector(left.series, left.values, kept)

    def union(self, left: SeriesSet, right: SeriesSet) -> SeriesSet:
        """The series of both sides, the left ones first."""
        known = self.unions.get(left, right)
        if known is None:
            known = self.unions.put(left, right, SeriesSet(left.labels + right.labels))
        return known


def _holds(present: Rows, wanted: Rows, count: int) -> Mask:
    seen = np.zeros(count, dtype=np.bool_)
    seen[present] = True
    return seen[wanted]
