"""For how long a pending alert's rule waits: said in the `reason` of its level."""

import re
from typing import Final

_SAID: Final = "waits for "
_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_FORM: Final = re.compile(_SAID + "".join(f"(?:([0-9]{{1,15}}){unit})?" for unit in _UNITS), re.A)


def waits(length: int) -> str:
    """The reason of an alert whose rule waits so long (ms): `waits for 5m`; empty if not at all."""
    if length <= 0:
        return ""
    parts = []
    for unit, size in _UNITS.items():
        count, length = divmod(length, size)
        if count:
            parts.append(f"{count}{unit}")
    return _SAID + "".join(parts)


def waited(reason: str) -> int | None:
    """The same time (ms) of a reason; None if it says none."""
    found = _FORM.fullmatch(reason)
    if found is None:
        return None
    parts = zip(found.groups(), _UNITS.values(), strict=True)
    return sum(int(count) * size for count, size in parts if count is not None) or None
