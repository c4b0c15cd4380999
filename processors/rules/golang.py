"""Numbers as Go prints them, and Prometheus's humanize functions."""

import math
import re
from decimal import Decimal

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d*))?([a-zA-Z%])")


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
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return repr(value).removesuffix(".0") if abs(value) >= 1e-4 else f"{value:.0f}"
    mantissa, exponent = _scientific(value)
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _scientific(value: float) -> tuple[str, int]:
    # repr has the shortest digits that read back as the same number, as Go's own algorithm has.
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    power = exponent + len(text) - 1
    text = text.rstrip("0")
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{fraction}", power


def significant(value: float) -> str:
    """Go's `%.4g`."""
    return special(value) or f"{value:.4g}"


def _scaled(value: float, base: float, prefixes: tuple[str, ...]) -> str:
    used = ""
    for prefix in prefixes:
        if abs(value) < base:
            break
        used = prefix
        value /= base
    return significant(value) + used


def _milli(value: float) -> tuple[float, str]:
    used = ""
    for prefix in "munpfazy":
        if abs(value) >= 1:
            break
        used = prefix
        value *= 1000
    return value, used


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
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{significant(value)}s"


def unprintable(form: str) -> str | None:
    """The first verb of a printf format that we do not print, if there is one."""
    rest = _VERB.sub(lambda found: "" if found[4] in "fFgeEvs%" else found[0], form)
    return None if "%" not in rest else rest[rest.index("%") :][:8]


def printf(form: str, arguments: list[float | str]) -> str:
    """Go's `printf` for the verbs f, g, e, v and s."""
    given = iter(arguments)

    def put(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        value = next(given, None)
        if value is None:
            return f"%!{verb}(MISSING)"
        text = _printed(value, flags, precision, verb)
        pad = int(width) if width else 0
        if "-" in flags:
            return text.ljust(pad)
        plain = isinstance(value, str) or special(value) is not None
        return text.rjust(pad) if plain or "0" not in flags else text.zfill(pad)

    text = _VERB.sub(put, form)
    extra = ", ".join(_typed(each) for each in given)
    return f"{text}%!(EXTRA {extra})" if extra else text


def _typed(value: float | str) -> str:
    return f"string={value}" if isinstance(value, str) else f"float64={number(value)}"


def _printed(value: float | str, flags: str, precision: str | None, verb: str) -> str:
    if isinstance(value, str):
        if verb not in "vs":
            return f"%!{verb}(string={value})"
        return value if precision is None else value[: int(precision or 0)]
    if verb == "s":
        return f"%!s(float64={number(value)})"
    odd = special(value)
    if odd is not None:
        return odd
    sign = "+" if "+" in flags else ""
    if verb in "gv" and precision is None:
        return (sign if value >= 0 else "") + number(value)
    digits = 6 if precision is None else int(precision or 0)
    return format(value, f"{sign}.{digits}{'g' if verb == 'v' else verb}")
