"""Trigonometry step by step as Go's `math` does it (Cephes's methods): not a bit differs."""

from math import frexp, pi

import numpy as np
from numpy.typing import NDArray

from processors.promql.columns import Floats, Mask
from processors.promql.kernels.elementary import horner

_QUARTER = (7.85398125648498535156e-1, 3.77489470793079817668e-8, 2.69515142907905952645e-15)
_SINE = (
    -1.66666666666666307295e-1,
    8.33333333332211858878e-3,
    -1.98412698295895385996e-4,
    2.75573136213857245213e-6,
    -2.50507477628578072866e-8,
    1.58962301576546568060e-10,
)
_COSINE = (
    4.16666666666665929218e-2,
    -1.38888888888730564116e-3,
    2.48015872888517045348e-5,
    -2.75573141792967388112e-7,
    2.08757008419747316778e-9,
    -1.13585365213876817300e-11,
)
_TANGENT_TOP = (-1.79565251976484877988e7, 1.15351664838587416140e6, -1.30936939181383777646e4)
_TANGENT_BOTTOM = (
    -5.38695755929454629881e7,
    2.50083801823357915839e7,
    -1.32089234440210967447e6,
    1.36812963470692954678e4,
    1.0,
)
_ARC_TOP = (
    -6.485021904942025371773e01,
    -1.228866684490136173410e02,
    -7.500855792314704667340e01,
    -1.615753718733365076637e01,
    -8.750608600031904122785e-01,
)
_ARC_BOTTOM = (
    1.945506571482613964425e02,
    4.853903996359136964868e02,
    4.328810604912902668951e02,
    1.650270098316988542046e02,
    2.485846490142306297962e01,
    1.0,
)
_MORE_BITS = 6.123233995736765886130e-17
_TAN_67_5 = 2.41421356237309504880

# From here on the product with pi/4 needs more bits than a float has (Payne and Hanek).
_LARGE = float(1 << 29)
_FOUR_BY_PI = int(
    "145f306dc9c882a53f84eafa3ea69bb81b6c52b3278872083fca2c757bd778ac36e48dc74849ba5c0"
    "0c925dd413a32439fc3bd63962534e7dd1046bea5d768909d338e04d68befc827323ac7306a673e9"
    "3908bf177bf250763ff12fffbc0b301fde5e2316b414da3eda6cfd9e4f96136e9e8c7ecd3cbfd45a"
    "ea4f758fd7cbe2f67a0e73ef14a525d4d7f6bf623f1aba10ac06608df8f6d757",
    16,
)
_BITS = 20 * 64

Octants = NDArray[np.int64]


def sin(x: Floats) -> Floats:
    """`sin`."""
    octant, z = _reduced(np.abs(x))
    flipped = octant > 3
    octant = octant & 3
    found = np.where((octant == 1) | (octant == 2), _cosine(z), _sine(z))
    found = np.where(flipped ^ (x < 0), -found, found)
    return np.where(x == 0, x, found)


def cos(x: Floats) -> Floats:
    """`cos`."""
    octant, z = _reduced(np.abs(x))
    flipped = octant > 3
    octant = octant & 3
    found = np.where((octant == 1) | (octant == 2), _sine(z), _cosine(z))
    return np.where(flipped ^ (octant > 1), -found, found)


def tan(x: Floats) -> Floats:
    """`tan`."""
    octant, z = _reduced(np.abs(x))
    zz = z * z
    curve = z + z * (zz * horner(zz, *_TANGENT_TOP) / horner(zz, *_TANGENT_BOTTOM))
    found = np.where(zz > 1e-14, curve, z)
    found = np.where(octant & 2 == 2, -1 / found, found)
    return np.where(x == 0, x, np.where(x < 0, -found, found))


def _sine(z: Floats) -> Floats:
    zz = z * z
    return z + z * zz * horner(zz, *_SINE)


def _cosine(z: Floats) -> Floats:
    zz = z * z
    return 1.0 - 0.5 * zz + zz * zz * horner(zz, *_COSINE)


def _reduced(x: Floats) -> tuple[Octants, Floats]:
    """The octant of an angle that is not negative, and its distance from it; NaN if infinite."""
    known = x < np.inf
    usual = x < _LARGE
    octant = np.where(usual, x * (4 / pi), 0.0).astype(np.int64)
    octant += octant & 1
    y = octant.astype(np.float64)
    z = ((x - y * _QUARTER[0]) - y * _QUARTER[1]) - y * _QUARTER[2]
    octant &= 7
    z[~known] = np.nan
    for at in np.flatnonzero(known & ~usual).tolist():
        octant[at], z[at] = _reduced_large(float(x[at]))
    return octant, z


def _reduced_large(x: float) -> tuple[int, float]:
    fraction, exponent = frexp(x)
    digits = int(fraction * (1 << 53))
    window = (_FOUR_BY_PI >> (_BITS - (exponent - 53 + 61) - 192)) & ((1 << 192) - 1)
    high, middle, low = window >> 128, window >> 64 & _WORD, window & _WORD
    product = ((high * digits) << 64) + middle * digits + (low * digits >> 64)
    octant = product >> 125 & 7
    rest, below = product >> 61 & _WORD, product & _WORD
    zeros = 64 - rest.bit_length() + 1
    mantissa = ((rest << zeros) & _WORD | below >> (64 - zeros)) >> 12
    z = (1 + mantissa / (1 << 52)) * 2.0**-zeros
    if octant & 1:
        octant, z = (octant + 1) & 7, z - 1
    return octant, z * (pi / 4)


_WORD = (1 << 64) - 1


def atan(x: Floats) -> Floats:
    """`atan`."""
    found = _arc(np.abs(x))
    return np.where(x == 0, x, np.where(x < 0, -found, found))


def asin(x: Floats) -> Floats:
    """`asin`; NaN beyond 1."""
    size = np.abs(x)
    other = np.sqrt(1 - size * size)
    steep = size > 0.7
    found = _arc(np.where(steep, other / size, size / other))
    found = np.where(steep, pi / 2 - found, found)
    found = np.where(size > 1, np.nan, found)
    return np.where(x == 0, x, np.where(x < 0, -found, found))


def acos(x: Floats) -> Floats:
    """`acos`; NaN beyond 1."""
    return pi / 2 - asin(x)


def atan2(y: Floats | float, x: Floats | float) -> Floats:
    """The operator `atan2`."""
    rise, run = np.broadcast_arrays(np.asarray(y, float), np.asarray(x, float))
    # Where C and Go agree by definition: zeros, infinities, NaN.
    special = np.arctan2(rise, run)
    usual = np.isfinite(rise) & np.isfinite(run) & (rise != 0) & (run != 0)
    turn = atan(rise / run)
    turn = np.where(run < 0, np.where(turn <= 0, turn + pi, turn - pi), turn)
    return np.where(usual, turn, special)


def _arc(x: Floats) -> Floats:
    """The arc of a tangent that is not negative."""
    low: Mask = x <= 0.66
    high: Mask = x > _TAN_67_5
    inner = np.where(low, x, np.where(high, 1 / x, (x - 1) / (x + 1)))
    zz = inner * inner
    curve = zz * horner(zz, *_ARC_TOP) / horner(zz, *_ARC_BOTTOM)
    curve = inner * curve + inner
    middle = pi / 4 + curve + 0.5 * _MORE_BITS
    return np.where(low, curve, np.where(high, pi / 2 - curve + _MORE_BITS, middle))
