"""The aggregate-over-time family: one number from the samples of each row's window."""

import numpy as np

from processors.promql import sums
from processors.promql.columns import Floats
from processors.promql.sums import across
from processors.promql.window import Window


def avg(window: Window) -> Floats:
    """`avg_over_time`."""
    return sums.mean(window.filled(0.0), window.counts)


def total(window: Window) -> Floats:
    """`sum_over_time`."""
    return sums.total(window.filled(0.0))


def low(window: Window) -> Floats:
    """`min_over_time`: NaN loses against any number."""
    values: Floats = np.fmin.reduce(across(window.filled(np.nan)), axis=0)
    return values


def high(window: Window) -> Floats:
    """`max_over_time`: NaN loses against any number."""
    values: Floats = np.fmax.reduce(across(window.filled(np.nan)), axis=0)
    return values


def count(window: Window) -> Floats:
    """`count_over_time`."""
    return window.counts.astype(np.float64)


def last(window: Window) -> Floats:
    """`last_over_time`."""
    return window.back()[1]


def present(window: Window) -> Floats:
    """`present_over_time`."""
    return np.ones(len(window.counts))


def first(window: Window) -> Floats:
    """`first_over_time`."""
    return window.front()[1]


def time_of_first(window: Window) -> Floats:
    """`ts_of_first_over_time`, in seconds."""
    times: Floats = window.front()[0] / 1000
    return times


def time_of_last(window: Window) -> Floats:
    """`ts_of_last_over_time`, in seconds."""
    times: Floats = window.back()[0] / 1000
    return times


def time_of_low(window: Window) -> Floats:
    """`ts_of_min_over_time`, in seconds: of the last of several."""
    return _newest(window, low(window))


def time_of_high(window: Window) -> Floats:
    """`ts_of_max_over_time`, in seconds: of the last of several."""
    return _newest(window, high(window))


def _newest(window: Window, wanted: Floats) -> Floats:
    """The time of the last sample that has the wanted value, or of the last where that is NaN."""
    found = window.values == wanted[:, None]
    if window.inside is not None:
        found &= window.inside
    from_behind = found[:, ::-1].argmax(axis=1)
    rows = np.arange(len(found))
    times = window.times[rows, found.shape[1] - 1 - from_behind]
    newest: Floats = np.where(np.isnan(wanted), window.back()[0], times) / 1000
    return newest
