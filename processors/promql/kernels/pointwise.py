"""Functions of one value at a time, with Go's treatment of NaN and infinities."""

import numpy as np

from processors.promql.columns import Floats


def absolute(values: Floats) -> Floats:
    """`abs`."""
    return np.abs(values)


def ceil(values: Floats) -> Floats:
    """`ceil`."""
    out: Floats = np.ceil(values)
    return out


def floor(values: Floats) -> Floats:
    """`floor`."""
    out: Floats = np.floor(values)
    return out


def rounded(values: Floats, nearest: float = 1.0) -> Floats:
    """`round`: to a multiple, ties up."""
    inverse = float(np.divide(1.0, nearest))
    out: Floats = np.floor(values * inverse + 0.5) / inverse
    return out


def clamp_min(values: Floats, low: float) -> Floats:
    """`clamp_min`; Go's Max prefers +Inf to NaN."""
    if low == np.inf:
        return np.full_like(values, low)
    if np.isnan(low):
        return np.where(values == np.inf, values, low)
    out: Floats = np.maximum(values, low)
    return out


def clamp_max(values: Floats, high: float) -> Floats:
    """`clamp_max`; Go's Min prefers -Inf to NaN."""
    if high == -np.inf:
        return np.full_like(values, high)
    if np.isnan(high):
        return np.where(values == -np.inf, values, high)
    out: Floats = np.minimum(values, high)
    return out


def clamp(values: Floats, low: float, high: float) -> Floats:
    """`clamp` where low is not above high."""
    return clamp_min(clamp_max(values, high), low)


def sign(values: Floats) -> Floats:
    """`sgn`."""
    return np.sign(values)


def root(values: Floats) -> Floats:
    """`sqrt`."""
    out: Floats = np.sqrt(values)
    return out


def degrees(values: Floats) -> Floats:
    """`deg`: of radians."""
    return values * 180 / np.pi


def radians(values: Floats) -> Floats:
    """`rad`: of degrees."""
    return values * np.pi / 180
