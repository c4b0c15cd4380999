"""The statistics that detectors decide by, for many series at once."""

from statistics import NormalDist

import numpy as np

from processors.promql.columns import Floats, Rows

NORMAL_MEDIAN_DEVIATION = 0.6745
"""The median absolute deviation of a normal distribution with standard deviation 1."""
NORMAL_MEAN_DEVIATION = 1.253314
"""Its standard deviation by its mean absolute deviation, the square root of pi / 2."""


def normal_quantile(probability: float) -> float:
    """The standard normal deviate that is exceeded with 1 - probability."""
    return NormalDist().inv_cdf(probability)


def two_proportions(part: Floats, whole: Floats, base: Floats, base_whole: Floats) -> Floats:
    """z of part / whole against base / base_whole: pooled variance, Yates's continuity correction.

    Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., section 3.2.
    """
    with np.errstate(all="ignore"):
        difference = part / whole - base / base_whole
        pooled = (part + base) / (whole + base_whole)
        each = 1 / whole + 1 / base_whole
        error = np.sqrt(pooled * (1 - pooled) * each)
        corrected = np.maximum(np.abs(difference) - each / 2, 0.0)
        z: Floats = np.where(error > 0, np.sign(difference) * corrected / error, 0.0)
    return z


def robust(rows: Floats) -> tuple[Floats, Floats, Rows]:
    """Median, spread and count of each row's numbers; NaN stands for none.

    The spread is in standard deviations: MAD / 0.6745, or 1.253314 times the mean absolute
    deviation where the MAD is 0 (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
    """
    counts = np.asarray(np.count_nonzero(~np.isnan(rows), axis=1), np.intp)
    middle = _median(rows, counts)
    away = np.abs(rows - middle[:, None])
    spread = _median(away, counts) / NORMAL_MEDIAN_DEVIATION
    flat = np.flatnonzero((spread == 0) & (counts > 0))
    if flat.size:
        spread[flat] = np.nansum(away[flat], axis=1) / counts[flat] * NORMAL_MEAN_DEVIATION
    return middle, spread, counts


def _median(rows: Floats, counts: Rows) -> Floats:
    """The median of each row's first numbers once NaN is sorted behind them."""
    if not rows.size:
        return np.full(len(rows), np.nan)
    ordered = np.sort(rows, axis=1)
    every = np.arange(len(rows))
    low = ordered[every, np.maximum(counts - 1, 0) // 2]
    high = ordered[every, np.minimum(counts // 2, rows.shape[1] - 1)]
    middle: Floats = np.where(counts > 0, (low + high) / 2, np.nan)
    return middle


def theil_sen(times: Floats, rows: Floats, quantile: float) -> Floats:
    """Each row's line through its numbers at `times`: [low, middle, high slope; intercept].

    The slope is the median of all pairs' slopes (Theil 1950, Sen 1968), the intercept the median of
    what it leaves. Low and high bound it by Kendall's variance of the number of rising pairs
    without ties (Gilbert, Statistical Methods for Environmental Pollution Monitoring, 16.5), at the
    normal `quantile`. NaN where there are fewer than 3 numbers.
    """
    first, second = np.triu_indices(rows.shape[1], 1)
    slopes = (rows[:, second] - rows[:, first]) / (times[second] - times[first])
    slopes.sort(axis=1)
    counts = np.asarray(np.count_nonzero(~np.isnan(rows), axis=1), np.intp)
    pairs = counts * (counts - 1) // 2
    half = quantile * np.sqrt(counts * (counts - 1) * (2 * counts + 5) / 18)
    every = np.arange(len(rows))

    def ranked(rank: Floats) -> Floats:
        """The slope of a rank from 1 on, between neighbours where it is no whole number."""
        rank = np.clip(rank, 1, np.maximum(pairs, 1)) - 1
        low = np.floor(rank).astype(np.intp)
        high = np.minimum(low + 1, np.maximum(pairs - 1, 0))
        share = rank - low
        found: Floats = slopes[every, low] * (1 - share) + slopes[every, high] * share
        return found

    bounds = [ranked((pairs - half) / 2), ranked((pairs + 1) / 2), ranked((pairs + half) / 2 + 1)]
    left = rows - bounds[1][:, None] * times
    lines: Floats = np.stack((*bounds, _median(left, counts)))
    lines[:, counts < 3] = np.nan
    return lines
