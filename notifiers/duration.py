"""Prometheus's durations, as milliseconds."""

import re

_SHAPE = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_UNITS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
LONGEST = 2**63 // 1_000_000
"""Go keeps a duration as 63 bits of nanoseconds, so Alertmanager refuses more than 292 years."""


def milliseconds(text: str) -> int:
    """The duration written `1h30m`, `5m`, `100ms` or `0`.

    Raises ValueError with a sentence for people.
    """
    if text == "0":
        return 0
    found = _SHAPE.fullmatch(text) if text and len(text) <= 64 else None
    if found is None:
        raise ValueError(f'not a duration: "{text[:40]}": write numbers with units, as 2h or 1h30m')
    total = sum(int(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part)
    if total > LONGEST:
        raise ValueError(f'duration out of range: "{text[:40]}"')
    return total
