"""Order statistics over a window: Prometheus's quantile, for which NaN is below every number."""

import numpy as np

from processors.promql.columns import Floats, Rows
from processors.promql.window import Window

# As in `sums`: blocks of up to 128 kB are sorted in memory that is warm already.
_BLOCK = 16_000


def quantile_over_time(window: Window, rank: float) -> Floats:
    """`quantile_over_time`."""
    return quantiles(window.filled(np.nan), window.counts, rank)


def median_deviation(window: Window) -> Floats:
    """`mad_over_time`: the median distance from the median; NaN where a sample is NaN."""
    rows, counts = window.filled(np.nan), window.counts
    known = np.count_nonzero(~np.isnan(rows), axis=1) == counts
    medians = quantiles(rows, counts, 0.5)
    distances = quantiles(np.abs(rows - medians[:, None]), counts, 0.5)
    return np.where(known, distances, np.nan)


def quantiles(rows: Floats, counts: Rows, rank: float) -> Floats:
    """The `rank`-quantile of each row, of which `counts` are samples; absent samples are NaN."""
    if np.isnan(rank) or not 0 <= rank <= 1:
        beyond = rank if np.isnan(rank) else np.copysign(np.inf, rank)
        return np.full(len(rows), beyond)
    if rows.size <= _BLOCK:
        return _quantiles(rows, counts, rank)
    step = max(1, _BLOCK // rows.shape[1])
    starts = range(0, len(rows), step)
    parts = [_quantiles(rows[at : at + step], counts[at : at + step], rank) for at in starts]
    return np.concatenate(parts)


def _quantiles(rows: Floats, counts: Rows, rank: float) -> Floats:
    ordered = np.sort(rows, axis=1)
    if np.isnan(ordered[:, -1]).any():
        return _with_unknown(ordered, counts, rank)
    last = rows.shape[1] - 1
    place = rank * last
    low = int(place)
    weight = place - low
    values: Floats = ordered[:, low] * (1 - weight) + ordered[:, min(low + 1, last)] * weight
    return values


def _with_unknown(ordered: Floats, counts: Rows, rank: float) -> Floats:
    # numpy has sorted NaN behind the numbers, whether a sample or an absent one.
    unknown = counts - np.count_nonzero(~np.isnan(ordered), axis=1)
    last = np.maximum(counts - 1, 0)
    place = rank * last
    low = place.astype(np.intp)
    weight = place - low

    def at(places: Rows) -> Floats:
        shifted = np.maximum(places - unknown, 0)
        found = ordered[np.arange(len(ordered)), shifted]
        return np.where(places < unknown, np.nan, found)

    values: Floats = at(low) * (1 - weight) + at(np.minimum(low + 1, last)) * weight
    return values
