"""Variance over a window: Welford's recurrence with compensated sums, as Prometheus has it."""

import numpy as np

from processors.promql.columns import Floats, Mask
from processors.promql.sums import across
from processors.promql.window import Window

# Rows at a time: the recurrence's dozen vectors of this length stay in the processor's cache.
_BLOCK = 2_000


def deviation(window: Window) -> Floats:
    """`stddev_over_time`."""
    return np.sqrt(variance(window))


def variance(window: Window) -> Floats:
    """`stdvar_over_time`."""
    rows, inside = window.values, window.inside
    parts = []
    for at in range(0, len(rows), _BLOCK):
        some = slice(at, at + _BLOCK)
        here = None if inside is None else np.ascontiguousarray(inside[some].T)
        terms = across(rows[some])
        found = _welford(terms, here, guarded=False)
        if not np.isfinite(found).all():
            found = np.where(np.isfinite(found), found, _welford(terms, here, guarded=True))
        parts.append(found)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _welford(terms: Floats, inside: Mask | None, *, guarded: bool) -> Floats:
    """The variance down each column; `guarded` is right about sums that overflow, and slower."""
    add = _guarded if guarded else _added
    mean, mean_lost, squares, squares_lost = np.zeros((4, terms.shape[1]))
    count = np.zeros(terms.shape[1]) if inside is not None else 0.0
    for at, term in enumerate(terms):
        count = count + (1.0 if inside is None else inside[at])
        away = term - (mean + mean_lost)
        next_mean, next_mean_lost = add(away / count, mean, mean_lost)
        square = away * (term - (next_mean + next_mean_lost))
        next_squares, next_squares_lost = add(square, squares, squares_lost)
        if inside is None:
            mean, mean_lost = next_mean, next_mean_lost
            squares, squares_lost = next_squares, next_squares_lost
        else:
            here = inside[at]
            np.copyto(mean, next_mean, where=here)
            np.copyto(mean_lost, next_mean_lost, where=here)
            np.copyto(squares, next_squares, where=here)
            np.copyto(squares_lost, next_squares_lost, where=here)
    found: Floats = (squares + squares_lost) / count
    return found


def _added(term: Floats, total: Floats, lost: Floats) -> tuple[Floats, Floats]:
    after = total + term
    moved = after - total
    return after, lost + ((total - (after - moved)) + (term - moved))


def _guarded(term: Floats, total: Floats, lost: Floats) -> tuple[Floats, Floats]:
    after = total + term
    large = np.abs(total) >= np.abs(term)
    error = np.where(large, (total - after) + term, (term - after) + total)
    return after, np.where(np.isinf(after), 0.0, lost + error)
