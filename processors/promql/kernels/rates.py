"""Counters and gauges over a window: Prometheus's extrapolation, resets and changes."""

import numpy as np

from processors.promql.columns import Floats, Mask, Rows, Times
from processors.promql.sums import across, running
from processors.promql.window import Window, counted


def seconds(span: int) -> float:
    """A span as Go's Duration.Seconds rounds it."""
    return span // 1000 + (span % 1000 * 1_000_000) / 1e9


def rate(window: Window) -> Floats:
    """`rate`: per second, of a counter."""
    return _extrapolated(window, counter=True, per_second=True)


def increase(window: Window) -> Floats:
    """`increase`: over the window, of a counter."""
    return _extrapolated(window, counter=True, per_second=False)


def delta(window: Window) -> Floats:
    """`delta`: over the window, of a gauge."""
    return _extrapolated(window, counter=False, per_second=False)


def _extrapolated(window: Window, *, counter: bool, per_second: bool) -> Floats:
    first_time, first = window.front()
    last_time, last = window.back()
    grown = last - first
    if counter:
        grown = _with_resets(window, grown)
    return extrapolated(
        (first_time, first),
        last_time,
        grown,
        window.counts,
        (window.start, window.end),
        counter=counter,
        per_second=per_second,
    )


def extrapolated(
    front: tuple[Times, Floats],
    last_time: Times,
    grown: Floats,
    counts: Rows,
    bounds: tuple[int, int],
    *,
    counter: bool,
    per_second: bool,
) -> Floats:
    """What grew between the first sample (`front`: times, values) and the last, over all bounds."""
    (first_time, first), (start, end) = front, bounds
    to_start = (first_time - start) / 1000
    to_end = (end - last_time) / 1000
    sampled = (last_time - first_time) / 1000
    between = sampled / (counts - 1)
    # A sample "close enough" to the boundary is within 1.1 of the average distance; else the series
    # is taken to have begun or ended half a distance away.
    threshold = between * 1.1
    to_start = np.where(to_start >= threshold, between / 2, to_start)
    if counter:
        # A counter is never negative, so it is not extrapolated beyond where it would be zero.
        to_zero = sampled * (first / grown)
        bounded = (grown > 0) & (first >= 0) & (to_zero < to_start)
        to_start = np.where(bounded, to_zero, to_start)
    to_end = np.where(to_end >= threshold, between / 2, to_end)
    factor = np.where(sampled != 0, (sampled + to_start + to_end) / sampled, 1.0)
    if per_second:
        factor = factor / seconds(end - start)
    values: Floats = grown * factor
    return values


def drops(window: Window) -> Mask:
    """Which samples are below the one before: each column is compared with its left neighbour."""
    fell: Mask = window.values[:, 1:] < window.values[:, :-1]
    pairs = window.pairs()
    return fell if pairs is None else fell & pairs


def _with_resets(window: Window, grown: Floats) -> Floats:
    fell = drops(window)
    if not fell.any():
        return grown
    rows = np.flatnonzero(fell.any(axis=1))
    lost = np.where(fell[rows], window.values[rows, :-1], 0.0)
    # One after the other, as Prometheus adds them.
    terms = across(np.concatenate((grown[rows, None], lost), axis=1))
    added = grown.copy()
    added[rows] = running(terms)[-1]
    return added


def instant_rate(window: Window) -> Floats:
    """`irate`: per second, between the last two samples of a counter."""
    before_time, before = window.back(1)
    time, value = window.back()
    grown = np.where(value < before, value, value - before)
    values: Floats = grown / ((time - before_time) / 1000)
    return values


def instant_delta(window: Window) -> Floats:
    """`idelta`: between the last two samples of a gauge."""
    values: Floats = window.back()[1] - window.back(1)[1]
    return values


def changes(window: Window) -> Floats:
    """`changes`: how often the value differs from the one before."""
    now, before = window.values[:, 1:], window.values[:, :-1]
    differs = (now != before) & ~(np.isnan(now) & np.isnan(before))
    pairs = window.pairs()
    return counted(differs if pairs is None else differs & pairs).astype(np.float64)


def resets(window: Window) -> Floats:
    """`resets`: how often a counter fell."""
    return counted(drops(window)).astype(np.float64)
