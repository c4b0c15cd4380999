"""Hyperbolic functions as Go's `math` does them (Cephes, FreeBSD) but for `exp`'s last bit."""

import numpy as np

from processors.promql.columns import Floats
from processors.promql.kernels.elementary import LN2, horner, log, log1p

_SINH_TOP = (
    -0.6307673640497716991184787251e6,
    -0.8991272022039509355398013511e5,
    -0.2894211355989563807284660366e4,
    -0.2630563213397497062819489e2,
)
_SINH_BOTTOM = (
    -0.6307673640497716991212077277e6,
    0.1521517378790019070696485176e5,
    -0.173678953558233699533450911e3,
    1.0,
)
_TANH_TOP = (-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1)
_TANH_BOTTOM = (4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0)
_TANH_IS_1 = 0.5 * 8.8029691931113054295988e1
_LARGE = float(1 << 28)
_SMALL = 1 / _LARGE


def sinh(x: Floats) -> Floats:
    """`sinh`."""
    size = np.abs(x)
    grown = np.exp(size)
    square = size * size
    series = horner(square, *_SINH_TOP) * size / horner(square, *_SINH_BOTTOM)
    found = np.where(size > 21, grown * 0.5, (grown - 1 / grown) * 0.5)
    return _signed(np.where(size > 0.5, found, series), x)


def cosh(x: Floats) -> Floats:
    """`cosh`."""
    size = np.abs(x)
    grown = np.exp(size)
    return np.where(size > 21, grown * 0.5, (grown + 1 / grown) * 0.5)


def tanh(x: Floats) -> Floats:
    """`tanh`."""
    size = np.abs(x)
    square = x * x
    top, bottom = horner(square, *_TANH_TOP), horner(square, *_TANH_BOTTOM)
    series = x + x * square * top / bottom
    steep = np.where(size > _TANH_IS_1, 1.0, 1 - 2 / (np.exp(2 * size) + 1))
    return np.where(size >= 0.625, _signed(steep, x), np.where(x == 0, x, series))


def asinh(x: Floats) -> Floats:
    """`asinh`."""
    size = np.abs(x)
    square = size * size
    curve = log(2 * size + 1 / (np.sqrt(square + 1) + size))
    low = log1p(size + square / (1 + np.sqrt(1 + square)))
    found = np.where(size > 2, np.where(size > _LARGE, log(size) + LN2, curve), low)
    found = np.where(size < _SMALL, size, found)
    return np.where(np.isinf(x), x, _signed(found, x))


def acosh(x: Floats) -> Floats:
    """`acosh`; NaN below 1."""
    above = np.maximum(x, 1.0)
    curve = log(2 * above - 1 / (above + np.sqrt(above * above - 1)))
    over = above - 1
    low = log1p(over + np.sqrt(2 * over + over * over))
    found = np.where(above > 2, np.where(above >= _LARGE, log(above) + LN2, curve), low)
    return np.where(x < 1, np.nan, found)


def atanh(x: Floats) -> Floats:
    """`atanh`; NaN beyond 1."""
    size = np.abs(x)
    twice = size + size
    low = 0.5 * log1p(twice + twice * size / (1 - size))
    found = np.where(size < 0.5, low, 0.5 * log1p(twice / (1 - size)))
    found = np.where(size < _SMALL, size, found)
    found = np.where(size < 1, found, np.where(size == 1, np.inf, np.nan))
    return _signed(found, x)


def _signed(found: Floats, x: Floats) -> Floats:
    signed: Floats = np.copysign(found, x)
    return signed
