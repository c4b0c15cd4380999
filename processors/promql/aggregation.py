"""Aggregations that make one value of each group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, isinf, nan, sqrt
from typing import TypeAlias

import numpy as np

from processors.promql import sums
from processors.promql.columns import Floats
from processors.promql.grouping import Grouping, Members
from processors.promql.nodes import Moment, Node, scalar, vector
from processors.promql.tree import Kind
from processors.promql.vector import Vector, nothing

Summary: TypeAlias = Callable[[Members, float], Floats]

_FEW = 48
"""Values up to which a loop in Python is faster than numpy's calls."""


def _quantile(members: Members, share: float) -> Floats:
    if not 0 <= share <= 1:
        beyond = nan if np.isnan(share) else np.copysign(np.inf, share)
        return np.full(len(members.counts), beyond)
    # NaN is less than anything.
    order = np.lexsort((members.values, ~np.isnan(members.values), members.numbers()))
    values = members.values[order]
    rank = share * (members.counts - 1)
    low = np.floor(rank)
    weight = rank - low
    first = members.starts + low.astype(np.intp)
    second = np.minimum(first + 1, members.starts + members.counts - 1)
    found: Floats = values[first] * (1 - weight) + values[second] * weight
    return found


def _variance(values: list[float]) -> float:
    """Welford's, one value after the other as in Prometheus: not for its speed, for its bits."""
    mean = values[0]
    squares = 0.0 if isfinite(mean) else nan
    for count, value in enumerate(values[1:], 2):
        delta = value - mean
        mean += delta / count
        squares += delta * (value - mean)
    return squares / len(values)


def _variances(members: Members, _: float) -> Floats:
    return np.array([_variance(values) for values in members.lists()])


def _deviations(members: Members, _: float) -> Floats:
    found = (_variance(values) for values in members.lists())
    return np.array([sqrt(each) if each == each else nan for each in found])  # noqa: PLR0124


def _sums(members: Members, _: float) -> Floats:
    if len(members.values) > _FEW:
        return members.each(lambda rows, _: sums.total(rows))
    return np.array([sum(_added(values)) for values in members.lists()])


def _means(members: Members, _: float) -> Floats:
    if len(members.values) <= _FEW:
        found = [(*_added(values), len(values)) for values in members.lists()]
        if all(isfinite(total) for total, _, _ in found):
            return np.array([total / count + lost / count for total, lost, count in found])
    return members.each(sums.mean)


def _added(values: list[float]) -> tuple[float, float]:
    """Neumaier's sum and compensation, as in `sums`, which is for columns."""
    total, lost = values[0], 0.0
    for value in values[1:]:
        after = total + value
        if isinf(after):
            lost = 0.0
        elif abs(total) >= abs(value):
            lost += (total - after) + value
        else:
            lost += (value - after) + total
        total = after
    return total, lost


AGGREGATIONS: Mapping[str, Summary] = {
    "sum": _sums,
    "avg": _means,
    "min": lambda members, _: np.fmin.reduceat(members.values, members.starts),
    "max": lambda members, _: np.fmax.reduceat(members.values, members.starts),
    "count": lambda members, _: members.counts.astype(np.float64),
    "group": lambda members, _: np.ones(len(members.counts)),
    "stdvar": _variances,
    "stddev": _deviations,
    "quantile": _quantile,
}


@dataclass(frozen=True, slots=True, eq=False)
class Aggregated:
    """An aggregation `by` or `without` labels."""

    apply: Summary
    inner: Node
    grouping: Grouping
    param: Node | None = None
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        number = 0.0 if self.param is None else scalar(self.param, moment)
        inner = vector(self.inner, moment)
        groups = self.grouping.of(inner.series)
        members = groups.members(inner)
        if not members.rows.size:
            return nothing()
        found = self.apply(members, number)
        if len(found) == len(groups.series):
            return Vector(groups.series, found, members.groups)
        values = np.zeros(len(groups.series))
        values[members.groups] = found
        return Vector(groups.series, values, members.groups)
