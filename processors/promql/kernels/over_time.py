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
