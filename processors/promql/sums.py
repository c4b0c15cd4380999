"""Sums and means as Prometheus makes them: Neumaier's compensated summation, column by column.

Neumaier's running sum is the plain sequential sum, so it is one `cumsum`; the rounding error of
each addition then follows without a loop (Knuth's TwoSum gives the same exact error), and the
errors add up sequentially again. The results are Prometheus's to the bit.
"""

from math import inf, isinf, isnan, nan

import numpy as np

from processors.promql.columns import Floats, Rows


def compensated(terms: Floats, axis: int) -> tuple[Floats, Floats]:
    """Sum and compensation along an axis; a zero term changes neither."""
    if axis == 0:
        terms = terms.T
    if terms.shape[1] == 0:
        return np.zeros(len(terms)), np.zeros(len(terms))
    sums = np.cumsum(terms, axis=1)
    total = sums[:, -1]
    before, after, term = sums[:, :-1], sums[:, 1:], terms[:, 1:]
    moved = after - before
    errors = (before - (after - moved)) + (term - moved)
    lost = np.zeros(len(total)) if errors.shape[1] == 0 else np.cumsum(errors, axis=1)[:, -1]
    return total, np.where(np.isfinite(total), lost, 0.0)


def total(terms: Floats, axis: int = 1) -> Floats:
    """The sum along an axis; absent samples are zeros."""
    sums, lost = compensated(terms, axis)
    return sums + lost


def mean(terms: Floats, counts: Rows, axis: int = 1) -> Floats:
    """The mean along an axis over `counts` samples each; absent samples are zeros."""
    sums, lost = compensated(terms, axis)
    means: Floats = sums / counts + lost / counts
    wild = np.flatnonzero(~np.isfinite(sums) & (counts > 0))
    if wild.size:
        along = terms if axis == 1 else terms.T
        for row in wild.tolist():
            means[row] = _careful(along[row].tolist(), int(counts[row]))
    return means


def _careful(terms: list[float], count: int) -> float:
    """A mean whose sum is not finite: because a term is not, or because the sum overflowed."""
    if any(isnan(term) for term in terms) or {inf, -inf} <= set(terms):
        return nan
    infinite = [term for term in terms if isinf(term)]
    return infinite[0] if infinite else _incremental(terms, count)


def _incremental(terms: list[float], count: int) -> float:
    # Prometheus goes over to the incremental mean where the running sum would overflow. Zeros that
    # stand for absent samples are skipped; as many real zeros as `count` leaves room for are kept.
    spare = count - sum(1 for term in terms if term != 0.0)
    value, lost, seen, stepwise = 0.0, 0.0, 0, False
    for term in terms:
        if term == 0.0:
            if spare == 0:
                continue
            spare -= 1
        seen += 1
        if not stepwise:
            new, new_lost = _add(term, value, lost)
            if not isinf(new):
                value, lost = new, new_lost
                continue
            stepwise = True
            value /= seen - 1
            lost /= seen - 1
        share = (seen - 1) / seen
        value, lost = _add(term / seen, share * value, share * lost)
    return value + lost if stepwise else value / seen + lost / seen


def _add(term: float, value: float, lost: float) -> tuple[float, float]:
    after = value + term
    if isinf(after):
        return after, 0.0
    if abs(value) >= abs(term):
        return after, lost + ((value - after) + term)
    return after, lost + ((term - after) + value)
