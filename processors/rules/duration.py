"""Prometheus's durations: `1h30m`, `5m`, `0s`."""

import re

_UNITS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_LONGEST = (2**63 - 1) // 1_000_000  # of Go's durations, which count nanoseconds: 292 years
_FORM = re.compile("".join(f"(?:([0-9]+){unit})?" for unit in _UNITS))


def milliseconds(text: str) -> int:
    """Reads a duration; units go from large to small, and a bare 0 needs none."""
    if text == "0":
        return 0
    found = _FORM.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"not a valid duration string: {text!r}")
    parts = zip(found.groups(), _UNITS.values(), strict=True)
    total = sum(int(number) * unit for number, unit in parts if number is not None)
    if total > _LONGEST:
        raise ValueError("duration out of range")
    return total
