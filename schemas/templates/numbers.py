"""Numbers as Go reads and prints them, and Prometheus's humanize functions."""

import math
import re
from decimal import Decimal

_DIGITS = r"\d+(?:_\d+)*"
_FLOAT = re.compile(
    rf"[-+]?(?:(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:e[-+]?{_DIGITS})?|inf(?:inity)?)|[-+]?nan",
    re.IGNORECASE | re.ASCII,
)
_HEX = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F_]+\.?[0-9a-fA-F_]*|\.[0-9a-fA-F_]+)[pP][-+]?\d+")


def read(written: str) -> float:
    """Go's `strconv.ParseFloat`; raises ValueError with its reason."""
    if _HEX.fullmatch(written):
        value = float.fromhex(written.replace("_", ""))
    elif _FLOAT.fullmatch(written):
        value = float(written)
    else:
        raise ValueError("invalid syntax")
    if math.isinf(value) and "n" not in written.lower():
        raise ValueError("value out of range")
    return value


def special(value: float) -> str | None:
    """NaN and infinities, else nothing."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return None


def number(value: float) -> str:
    """Go's `%v` of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6."""
    odd = special(value)
    if odd is not None:
        return odd
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, power = _decimal(value)
    if power < -4 or power >= 6:
        return scientific(sign, digits, power)
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    if len(digits) <= power + 1:
        return sign + digits.ljust(power + 1, "0")
    return f"{sign}{digits[: power + 1]}.{digits[power + 1 :]}"


def exponential(value: float) -> str:
    """Go's `FormatFloat(value, 'E', -1, 64)`, as promtool prints samples."""
    odd = special(value)
    if odd is not None:
        return odd
    if value == 0:
        return "-0E+00" if math.copysign(1, value) < 0 else "0E+00"
    return scientific(*_decimal(value)).upper()


def scientific(sign: str, digits: str, power: int) -> str:
    """`1.5e+06`."""
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _decimal(value: float) -> tuple[str, str, int]:
    # repr has the shortest digits that read back as the same number, as Go's own algorithm has.
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    return "-" if sign else "", text.rstrip("0"), exponent + len(text) - 1


def significant(value: float) -> str:
    """Go's `%.4g`."""
    return special(value) or f"{value:.4g}"


def _milli(value: float) -> tuple[float, str]:
    used = ""
    for prefix in "munpfazy":
        if abs(value) >= 1:
            break
        used = prefix
        value *= 1000
    return value, used


def _scaled(value: float, base: float, prefixes: tuple[str, ...]) -> str:
    used = ""
    for prefix in prefixes:
        if abs(value) < base:
            break
        used = prefix
        value /= base
    return significant(value) + used


def humanize(value: float) -> str:
    """`humanize`: metric prefixes."""
    if value == 0 or special(value):
        return significant(value)
    if abs(value) >= 1:
        return _scaled(value, 1000, tuple("kMGTPEZY"))
    small, prefix = _milli(value)
    return significant(small) + prefix


def humanize1024(value: float) -> str:
    """`humanize1024`: binary prefixes."""
    if special(value) or abs(value) <= 1:
        return significant(value)
    return _scaled(value, 1024, ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"))


def humanize_percentage(value: float) -> str:
    """`humanizePercentage`: a ratio as percents."""
    return f"{significant(value * 100)}%"


def humanize_duration(value: float) -> str:
    """`humanizeDuration`: seconds as days to seconds."""
    odd = special(value)
    if odd is not None:
        return odd
    if value == 0:
        return f"{significant(value)}s"
    if abs(value) < 1:
        small, prefix = _milli(value)
        return f"{significant(small)}{prefix}s"
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole = integer(value)
    minutes, seconds = _divided(whole, 60)
    hours, minutes = _divided(minutes, 60)
    days, hours = _divided(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{significant(value)}s"


def _divided(whole: int, by: int) -> tuple[int, int]:
    """Quotient and rest, towards zero as in Go."""
    quotient = abs(whole) // by * (1 if whole >= 0 else -1)
    return quotient, whole - quotient * by


def integer(value: float) -> int:
    """`int64(value)` as Go does it on amd64: what does not fit is the smallest number."""
    return int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)


def duration(nanoseconds: int) -> str:
    """A `time.Duration`: `1h2m3.5s`, `1.5ms`, `0s`."""
    if nanoseconds == 0:
        return "0s"
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 10**6)):
        if left < size * 1000:
            return f"{sign}{_fraction(left, size)}{unit}"
    minutes, rest = divmod(left, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{front}{_fraction(rest, 10**9)}s"


def _fraction(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


def hexadecimal(value: float, precision: int | None = None) -> str:
    """Go's `%x` of a float64: `0x1.8p+01`; rounded to even where digits are left out."""
    mantissa, exponent = math.frexp(abs(value))
    bits, exponent = int(math.ldexp(mantissa, 53)), exponent - 1 if value else 0
    places = 13 if precision is None else precision
    if places < 13:
        shift = 52 - 4 * places
        kept, rest = divmod(bits, 1 << shift)
        kept += rest > 1 << (shift - 1) or (rest == 1 << (shift - 1) and kept % 2 == 1)
        if kept >> (4 * places) == 2:
            kept, exponent = kept >> 1, exponent + 1
        bits = kept << shift
    fraction = f"{bits & ((1 << 52) - 1):013x}".ljust(places, "0")[:places]
    fraction = fraction.rstrip("0") if precision is None else fraction
    dotted = f".{fraction}" if fraction else ""
    sign = "-" if math.copysign(1, value) < 0 else ""
    power = f"{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return f"{sign}0x{bits >> 52}{dotted}p{power}"


def binary(value: float) -> str:
    """Go's `%b` of a float64: `4503599627370496p-52`."""
    mantissa, exponent = math.frexp(value)
    if value == 0:
        return "-0p-1074" if math.copysign(1, value) < 0 else "0p-1074"
    power = max(exponent - 53, -1074)
    return f"{int(math.ldexp(mantissa, exponent - power))}p{'-' if power < 0 else '+'}{abs(power)}"
