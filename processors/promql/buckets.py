"""Classic histograms as matrices of buckets, and what is measured of them.

Formulas and their odd cases: Prometheus 3.15, `promql/quantile.go`.
"""

from dataclasses import dataclass
from math import inf, isnan, nan

import numpy as np

from processors.promql.columns import Floats, Mask, Rows

_TOLERANCE = 1e-12
_SMALLEST = 2.2250738585072014e-308


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """A histogram a row: bounds ascending, cumulative counts, `sizes` of them; then +Inf, NaN."""

    bounds: Floats
    counts: Floats
    sizes: Rows

    @property
    def whole(self) -> Mask:
        """Which have a bucket +Inf."""
        found: Mask = self.last(self.bounds) == inf
        return found

    def last(self, of: Floats) -> Floats:
        """The last column of each row."""
        return of[np.arange(len(of)), self.sizes - 1]


def matrix(bounds: Floats, values: Floats, sizes: Rows) -> Buckets:
    if not len(sizes):
        return Buckets(np.zeros((0, 1)), np.zeros((0, 1)), sizes)
    width = int(sizes.max())
    if width * len(sizes) == len(values):
        return Buckets(bounds.reshape(-1, width), values.reshape(-1, width), sizes)
    inside = np.arange(width) < sizes[:, None]
    upper, counts = np.full(inside.shape, inf), np.full(inside.shape, nan)
    upper[inside], counts[inside] = bounds, values
    return Buckets(upper, counts, sizes)


def quantile(buckets: Buckets, share: float) -> Floats:
    """`histogram_quantile`: linear inside a bucket, the second highest bound in the last."""
    if not 0 <= share <= 1:
        return np.full(len(buckets.sizes), nan if isnan(share) else np.copysign(inf, share))
    counts = _monotonic(buckets)
    uppers, sizes = buckets.bounds, buckets.sizes
    rows = np.arange(len(sizes))
    observations = counts[rows, sizes - 1]
    rank = share * observations
    at = _searched(counts, rank, sizes - 1)
    before = np.maximum(at - 1, 0)
    start = np.where(at > 0, uppers[rows, before], 0.0)
    fewer = np.where(at > 0, counts[rows, before], 0.0)
    upper = uppers[rows, at]
    inside = start + (upper - start) * ((rank - fewer) / (counts[rows, at] - fewer))
    found = np.where((at == 0) & (upper <= 0), upper, inside)
    found = np.where(at == sizes - 1, uppers[rows, np.maximum(sizes - 2, 0)], found)
    return np.where(buckets.whole & (sizes >= 2) & (observations != 0), found, nan)


def _searched(counts: Floats, rank: Floats, among: Rows) -> Rows:
    """The first bucket whose count is not below the rank, the last one if there is none."""
    columns = np.arange(counts.shape[1])
    below = ~(counts >= rank[:, None]) & (columns < among[:, None])
    at = np.asarray(np.count_nonzero(below, axis=1), dtype=np.intp)
    # Go's binary search goes its own ways where NaN leaves nothing in order.
    for row in np.flatnonzero((np.isnan(counts) & (columns <= among[:, None])).any(axis=1)):
        low, high = 0, int(among[row])
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if counts[row, middle] >= rank[row] else (middle + 1, high)
        at[row] = low
    return at


def _monotonic(buckets: Buckets) -> Floats:
    """Counts without decreases, and without differences that are rounding errors."""
    counts = buckets.counts
    before, after = counts[:, :-1], counts[:, 1:]
    grown = after - before
    clear = (grown == 0) | (grown > 2 * _TOLERANCE * (before + after)) & (before >= _SMALLEST)
    padding = np.arange(1, counts.shape[1]) >= buckets.sizes[:, None]
    rough = np.flatnonzero(~(clear | padding | (before == 0) & (after > 1e-300)).all(axis=1))
    if not rough.size:
        return counts
    counts = counts.copy()
    for row in rough.tolist():
        size = int(buckets.sizes[row])
        counts[row, :size] = _smoothed(counts[row, :size].tolist())
    return counts


def _smoothed(counts: list[float]) -> list[float]:
    held = counts[0]
    for place, count in enumerate(counts):
        if count < held or _almost(held, count):
            counts[place] = held
        else:
            held = count
    return counts


def _almost(one: float, other: float) -> bool:
    if one == other or (isnan(one) and isnan(other)):
        return True
    both, apart = abs(one) + abs(other), abs(one - other)
    if one == 0 or other == 0 or both < _SMALLEST:
        return apart < _TOLERANCE * _SMALLEST
    return apart / min(both, 1.7976931348623157e308) < _TOLERANCE


def fraction(buckets: Buckets, lower: float, upper: float) -> Floats:
    """`histogram_fraction`: the share of observations between two values."""
    counts, sizes = buckets.counts, buckets.sizes
    rows = np.arange(len(sizes))
    count = counts[rows, sizes - 1]
    if isnan(lower) or isnan(upper):
        return np.full(len(sizes), nan)
    if lower >= upper:
        found = np.zeros(len(sizes))
    else:
        found = (_rank(buckets, upper, count) - _rank(buckets, lower, count)) / count
    return np.where(buckets.whole & (count != 0), found, nan)


def _rank(buckets: Buckets, value: float, count: Floats) -> Floats:
    """How many observations are below a value, interpolated in its bucket."""
    uppers, counts, sizes = buckets.bounds, buckets.counts, buckets.sizes
    rows = np.arange(len(sizes))
    least = np.where(uppers[:, 0] <= 0, -inf, 0.0)
    at = np.count_nonzero((uppers <= value) & (np.arange(uppers.shape[1]) < sizes[:, None]), axis=1)
    inside = np.minimum(at, sizes - 1)
    before = np.maximum(inside - 1, 0)
    start = np.where(inside > 0, uppers[rows, before], least)
    fewer = np.where(inside > 0, counts[rows, before], 0.0)
    here = counts[rows, inside]
    between = fewer + (here - fewer) * (value - start) / (uppers[rows, inside] - start)
    found = np.where(start == -inf, here, between)
    found = np.where(value <= start, fewer, found)
    found = np.where(at >= sizes, count, found)
    return np.where(found > count, count, found)
