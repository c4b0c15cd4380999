"""Sums and means as Prometheus makes them: Neumaier's compensated summation, column by column.

Neumaier's running sum is the plain sequential sum, so it is one `cumsum`; the rounding error of
each addition then follows without a loop (Knuth's TwoSum gives the same exact error), and the
errors add up sequentially again. The results are Prometheus's to the bit.
"""

from math import inf, isinf, isnan, nan

import numpy as np

from processors.promql.columns import Floats, Rows

# Above 128 kB malloc hands out fresh pages each time; faulting them in costs eight times the sums.
_BLOCK = 16_000
# From so many series on a step at a time is cheaper than numpy's cumsum.
_MANY = 512
_SERIES = 4_096


def across(rows: Floats) -> Floats:
    """A copy with time going down: numpy's loops then run over many series, not few samples."""
    return np.ascontiguousarray(rows.T)


def running(terms: Floats) -> Floats:
    """Sequential partial sums down the first axis."""
    # numpy's cumsum costs 45 ns for every series, an addition of two rows 600 ns.
    if len(terms) * 12 >= terms.shape[1]:
        return np.cumsum(terms, axis=0)
    sums = np.empty_like(terms)
    sums[0] = terms[0]
    for at in range(1, len(terms)):
        np.add(sums[at - 1], terms[at], out=sums[at])
    return sums


def compensated(rows: Floats) -> tuple[Floats, Floats]:
    """Sum and compensation of each row; a zero term changes neither."""
    if len(rows) >= _MANY and rows.shape[1] > 1:
        starts = range(0, len(rows), _SERIES)
        parts = [_step_by_step(across(rows[at : at + _SERIES])) for at in starts]
    elif rows.size <= _BLOCK:
        return _compensated(rows)
    else:
        step = max(1, _BLOCK // rows.shape[1])
        parts = [_compensated(rows[at : at + step]) for at in range(0, len(rows), step)]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _step_by_step(terms: Floats) -> tuple[Floats, Floats]:
    """As `_compensated`, in memory that stays warm: for many series."""
    sums, lost = terms[0].copy(), np.empty(terms.shape[1])
    after, moved, error = np.empty_like(lost), np.empty_like(lost), lost
    for term in terms[1:]:
        np.add(sums, term, out=after)
        np.subtract(after, sums, out=moved)
        np.subtract(after, moved, out=error)
        np.subtract(sums, error, out=error)
        np.subtract(term, moved, out=moved)
        np.add(error, moved, out=error)
        if error is lost:
            error = np.empty_like(lost)
        else:
            np.add(lost, error, out=lost)
        sums, after = after, sums
    return sums, np.where(np.isfinite(sums), lost, 0.0)


def _compensated(rows: Floats) -> tuple[Floats, Floats]:
    terms = across(rows)
    sums = running(terms)
    total = sums[-1]
    if len(terms) == 1:
        return total, np.zeros_like(total)
    before, after, term = sums[:-1], sums[1:], terms[1:]
    moved = after - before
    errors = after - moved
    np.subtract(before, errors, out=errors)
    np.subtract(term, moved, out=moved)
    np.add(errors, moved, out=errors)
    lost = running(errors)[-1]
    return total, np.where(np.isfinite(total), lost, 0.0)


def total(rows: Floats) -> Floats:
    """The sum of each row; absent samples are zeros."""
    sums, lost = compensated(rows)
    return sums + lost


def mean(rows: Floats, counts: Rows) -> Floats:
    """The mean of each row over `counts` samples each; absent samples are zeros."""
    sums, lost = compensated(rows)
    means: Floats = sums / counts + lost / counts
    for row in np.flatnonzero(~np.isfinite(sums) & (counts > 0)).tolist():
        means[row] = _careful(rows[row].tolist(), int(counts[row]))
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
