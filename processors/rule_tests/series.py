"""Input series in promtool's notation: `m{a="b"}` and `1+2x3 _ stale NaN`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from processors.promql.columns import STALE
from processors.promql.errors import Refused
from processors.promql.labels import Labels, of
from processors.promql.parser import parse
from processors.promql.selector import Match
from processors.promql.tree import Select

_DECIMAL = r"(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER = rf"(?:{_DECIMAL}|(?i:inf|nan))"
# No hexadecimal numbers: `0x10` is a zero and ten more.
_ITEM = re.compile(
    rf"(?P<blank>_)(?:x(?P<blanks>[0-9]+))?"
    rf"|(?P<value>[-+]?{_NUMBER}|stale)(?P<more>[-+]{_NUMBER})?(?:x(?P<times>[0-9]+))?"
)


class BadSeries(ValueError):
    """A series or its values that cannot be read."""


@dataclass(frozen=True, slots=True)
class Input:
    """A series and its values, one a step; None where there is no sample."""

    labels: Labels
    values: tuple[float | None, ...]


def labels(written: str) -> Labels:
    """The labels of a series as it is written; raises BadSeries."""
    if not written.strip():
        return ()
    try:
        tree = parse(written)
    except Refused as fault:
        # A selector without a condition is no PromQL, yet `{}` is a series.
        if re.fullmatch(r"\s*\{\s*,?\s*\}\s*", written):
            return ()
        raise BadSeries(f"cannot read the series {written!r}: {fault}") from fault
    if (
        not isinstance(tree, Select)
        or tree.window is not None
        or tree.offset
        or tree.at is not None
    ):
        raise BadSeries(f'{written!r} is no series: write name{{label="value", …}}')
    if any(matcher.op is not Match.EQUAL for matcher in tree.selector.matchers):
        raise BadSeries(f"{written!r} is no series: its labels need '='")
    return of((matcher.name, matcher.value) for matcher in tree.selector.matchers)


def values(written: str, most: int) -> tuple[float | None, ...]:
    """The first values, at most so many; raises BadSeries."""
    found: list[float | None] = []
    for item in written.split():
        for value in _item(item):
            if len(found) < most:
                found.append(value)
            else:
                break
    return tuple(found)


def _item(item: str) -> Iterator[float | None]:
    if "{{" in item or "}}" in item:
        raise BadSeries(f"native histograms are not supported: {item!r}")
    found = _ITEM.fullmatch(item)
    if found is None:
        raise BadSeries(f'unexpected {item!r} in series values, expected number or "stale"')
    if found["blank"]:
        yield from (None for _ in range(int(found["blanks"] or 1)))
        return
    if found["more"] and found["times"] is None:
        raise BadSeries(f"{item!r} needs a count: {item}x5 has six values")
    value = STALE if found["value"] == "stale" else float(found["value"])
    more = float(found["more"]) if found["more"] else None
    for _ in range(int(found["times"] or 0) + 1):
        yield value
        if more is not None:
            value += more
