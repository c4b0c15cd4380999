"""Where a gauge is going: linear regression and smoothing over a window."""

import numpy as np

from processors.promql import sums
from processors.promql.columns import Floats, Times
from processors.promql.errors import EvaluationFailed
from processors.promql.window import Window


def derivative(window: Window) -> Floats:
    """`deriv`: the slope per second."""
    return _regression(window, window.front()[0])[0]


def predict_linear(window: Window, seconds: float) -> Floats:
    """`predict_linear`: the value some seconds after the evaluation."""
    origin = np.full(len(window.counts), window.at, dtype=np.int64)
    slope, intercept = _regression(window, origin)
    values: Floats = slope * seconds + intercept
    return values


def _regression(window: Window, origin: Times) -> tuple[Floats, Floats]:
    """Slope per second and value at `origin` of the least squares' line."""
    inside, counts = window.inside, window.counts
    x = (window.times - origin[:, None]) / 1e3
    y = window.values
    if inside is not None:
        x, y = np.where(inside, x, 0.0), np.where(inside, y, 0.0)
    size = len(x)
    # Four sums in one pass.
    added = sums.compensated(np.concatenate((x, y, x * y, x * x)))
    sum_x, sum_y, sum_xy, sum_xx = (added[0] + added[1]).reshape(4, size)
    covariance = sum_xy - sum_x * sum_y / counts
    deviation = sum_xx - sum_x * sum_x / counts
    slope = covariance / deviation
    intercept = sum_y / counts - slope * sum_x / counts
    first = window.front()[1]
    differs = window.values != first[:, None]
    level = ~(differs if inside is None else differs & inside).any(axis=1)
    if level.any():
        # A level line is met exactly, whatever rounding would have made of it.
        infinite = np.isinf(first)
        slope = np.where(level, np.where(infinite, np.nan, 0.0), slope)
        intercept = np.where(level, np.where(infinite, np.nan, first), intercept)
    return slope, intercept


def factors(smoothing: float, trend: float) -> None:
    """Demands both factors of `double_exponential_smoothing` in (0, 1); NaN passes, as in Go."""
    for name, factor, short in (("smoothing", smoothing, "sf"), ("trend", trend, "tf")):
        if factor <= 0 or factor >= 1:
            raise EvaluationFailed(
                f"invalid {name} factor. Expected: 0 < {short} < 1, got: {factor:f}"
            )


def smoothed(window: Window, smoothing: float, trend: float) -> Floats:
    """`double_exponential_smoothing`: the last level of Holt's linear method."""
    factors(smoothing, trend)
    rows, inside = window.values, window.inside
    if inside is None:
        last: Floats = _levels(sums.across(rows), smoothing, trend)[-1]
        return last
    # Every row's samples come first, so that its last level lies where its samples end.
    order = np.argsort(~inside, axis=1, kind="stable")
    levels = _levels(sums.across(np.take_along_axis(rows, order, axis=1)), smoothing, trend)
    found: Floats = levels[np.maximum(window.counts - 1, 0), np.arange(len(order))]
    return found


def _levels(terms: Floats, smoothing: float, trend: float) -> Floats:
    levels = np.empty_like(terms)
    levels[0] = terms[0]
    slope = terms[min(1, len(terms) - 1)] - terms[0]
    for at in range(1, len(terms)):
        if at > 1:
            slope = trend * (levels[at - 1] - levels[at - 2]) + (1 - trend) * slope
        levels[at] = smoothing * terms[at] + (1 - smoothing) * (levels[at - 1] + slope)
    return levels
