"""Logarithms and powers step by step as Go's `math` takes them, so that not a bit differs.

The methods and constants are FreeBSD's (SunPro), in Go's order of operations. numpy's own differ
from Go's in the last bit, and from processor to processor.
"""

import numpy as np

from processors.promql.columns import Floats, Mask

LN2 = 0.693147180559945309417232121458176568
_PER_LN10 = 0.4342944819032518
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_HALF_ROOT_2 = 7.07106781186547524401e-01
_ROOT_2_LESS_1 = 4.142135623730950488017e-01
_FAR = 1 << 12
_FARTHEST = 1 << 14
_ODD = (
    6.666666666666735130e-01,
    2.857142874366239149e-01,
    1.818357216161805012e-01,
    1.479819860511658591e-01,
)
_EVEN = (3.999999999940941908e-01, 2.222219843214978396e-01, 1.531383769920937332e-01)
_SERIES = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


def horner(x: Floats, *coefficients: float) -> Floats:
    """A polynomial of ascending coefficients."""
    total = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total = total * x + coefficient
    return total


def log(x: Floats) -> Floats:
    """`ln`."""
    fraction, exponent = _frexp(x)
    low = fraction < _HALF_ROOT_2
    k = exponent - low
    f = np.where(low, fraction + fraction, fraction) - 1
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    rest = s2 * horner(s4, *_ODD) + s4 * horner(s4, *_EVEN)
    half = 0.5 * f * f
    found = k * _LN2_HIGH - ((half - (s * (half + rest) + k * _LN2_LOW)) - f)
    found = np.where((x > 0) & (x < np.inf), found, x)
    return np.where(x == 0, -np.inf, np.where(x < 0, np.nan, found))


def log2(x: Floats) -> Floats:
    """`log2`: exact for powers of two."""
    fraction, exponent = _frexp(x)
    found: Floats = np.where(fraction == 0.5, exponent - 1.0, log(fraction) * (1 / LN2) + exponent)
    return found


def log10(x: Floats) -> Floats:
    """`log10`."""
    return log(x) * _PER_LN10


def log1p(x: Floats) -> Floats:
    """The logarithm of 1 + x for x not below 0, which the inverse hyperbolic functions need."""
    whole = 1.0 + x
    c = np.where(whole >= 2, 1.0 - (whole - x), x - (whole - 1.0)) / whole
    large = x >= 2.0**53
    u = np.where(large, x, whole)
    fraction, exponent = _frexp(u)
    low = fraction < _HALF_ROOT_2
    near = x < _ROOT_2_LESS_1
    k = np.where(near, 0.0, exponent - low)
    f = np.where(near, x, np.where(low, fraction + fraction, fraction) - 1)
    half = 0.5 * f * f
    s = f / (2 + f)
    z = s * s
    rest = z * horner(z, *_SERIES)
    scaled = k * _LN2_LOW + np.where(large, 0.0, c)
    found = k * _LN2_HIGH - ((half - (s * (half + rest) + scaled)) - f)
    found = np.where(near, f - (half - s * (half + rest)), found)
    found = np.where(x < 2.0**-29, np.where(x < 2.0**-54, x, x - x * x * 0.5), found)
    return np.where(x < np.inf, found, x)


def power(x: Floats | float, y: Floats | float) -> Floats:
    """The operator `^`, by repeated squaring; only a fractional exponent needs `exp`."""
    if isinstance(y, float) and y == 2.0:
        return np.multiply(x, x)
    base, exponent = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    # Where C and Go agree by definition: zeros, ones, infinities, NaN, square roots.
    found: Floats = np.power(base, exponent)
    root = (exponent == -0.5) & (base > 0)
    found = np.where(root, 1 / np.sqrt(base), found)
    size = np.abs(exponent)
    usual = np.isfinite(base) & (base != 0) & (base != 1) & (size < 2.0**63) & (exponent != 0)
    usual &= (exponent != 1) & (size != 0.5) & ((base > 0) | (exponent == np.trunc(exponent)))
    if usual.any():
        base, size = np.where(usual, base, 1.0), np.where(usual, size, 1.0)
        found = np.where(usual, _squared(base, size, exponent < 0), found)
    return found


def _squared(base: Floats, size: Floats, inverse: Mask) -> Floats:
    """A power by its exponent's binary digits, mantissa and exponent of the base apart."""
    digits = np.trunc(np.minimum(size, 2.0**62))
    rest = size - digits
    up = rest > 0.5
    digits, rest = digits + up, rest - up
    left = digits.astype(np.int64)
    mantissa = np.where(rest != 0, np.exp(rest * log(np.abs(base))), 1.0)
    shift = np.zeros_like(left)
    factor, factor_shift = np.frexp(base)
    factor_shift = factor_shift.astype(np.int64)
    while left.any():
        # Beyond this the result is zero or infinite, whatever comes.
        gone = (np.abs(factor_shift) > _FAR) & (left != 0)
        odd = (left & 1 == 1) & ~gone
        shift += np.where(odd | gone, factor_shift, 0)
        mantissa = np.where(odd, mantissa * factor, mantissa)
        left = np.where(gone, 0, left >> 1)
        factor, factor_shift = factor * factor, factor_shift * 2
        small = factor < 0.5
        factor = np.where(small, factor + factor, factor)
        factor_shift = factor_shift - small
    mantissa = np.where(inverse, 1 / mantissa, mantissa)
    shift = np.where(inverse, -shift, shift)
    found: Floats = np.ldexp(mantissa, np.clip(shift, -_FARTHEST, _FARTHEST).astype(np.int32))
    return found


def _frexp(x: Floats) -> tuple[Floats, Floats]:
    fraction, exponent = np.frexp(x)
    return fraction, exponent.astype(np.float64)
