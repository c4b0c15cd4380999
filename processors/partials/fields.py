"""What a cell (a minute or ten of a series) may hold, and which of it belongs together."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

DataType: TypeAlias = "np.dtype[Any]"


class Field(StrEnum):
    """One number of a cell; times are ms since the cell's begin, 0 where there is none.

    `before` is the sample before the last, `lost` what a counter lost by resets. `squares`,
    `time_squares` and `products` are sums of squared distances from the means, and of the product
    of both distances. `newest` counts stale markers; everything else leaves them out.
    """

    COUNT = "count"
    FIRST = "first"
    FIRST_AT = "first_at"
    LAST = "last"
    LAST_AT = "last_at"
    BEFORE = "before"
    BEFORE_AT = "before_at"
    LOST = "lost"
    RESETS = "resets"
    CHANGES = "changes"
    SUM = "sum"
    LOW = "min"
    HIGH = "max"
    MEAN = "mean"
    SQUARES = "squares"
    MEAN_AT = "mean_at"
    TIME_SQUARES = "time_squares"
    PRODUCTS = "products"
    NEWEST = "newest"
    NEWEST_AT = "newest_at"


Fields: TypeAlias = frozenset[Field]

TIMES: Fields = frozenset({Field.FIRST_AT, Field.LAST_AT, Field.BEFORE_AT, Field.NEWEST_AT})
NEWEST: Fields = frozenset({Field.NEWEST, Field.NEWEST_AT})
_WHOLE = TIMES | {Field.COUNT, Field.RESETS, Field.CHANGES}
_ENDS = frozenset({Field.FIRST, Field.LAST})
_NEEDS: Mapping[Field, Fields] = {
    Field.BEFORE: frozenset({Field.LAST}),
    Field.BEFORE_AT: frozenset({Field.LAST_AT}),
    Field.LOST: _ENDS,
    Field.RESETS: _ENDS,
    Field.CHANGES: _ENDS,
    Field.SQUARES: frozenset({Field.MEAN}),
    Field.TIME_SQUARES: frozenset({Field.MEAN_AT}),
    Field.PRODUCTS: frozenset({Field.MEAN, Field.MEAN_AT}),
}


def together(wanted: Iterable[Field]) -> Fields:
    """Some fields and what is needed to put two cells of them together."""
    fields = set(wanted)
    for field in wanted:
        fields |= _NEEDS.get(field, frozenset())
    return frozenset(fields if fields <= NEWEST else fields | {Field.COUNT})


def wide(field: Field) -> DataType:
    """The type in which a field is computed."""
    return np.dtype(np.int64 if field in _WHOLE else np.float64)


def narrow(field: Field, span: int) -> DataType:
    """The type in which a field of a cell of `span` ms is kept: no count and no time exceeds it."""
    if field not in _WHOLE:
        return np.dtype(np.float64)
    for kind in (np.uint16, np.uint32):
        if span <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.int64)


def row_bytes(fields: Fields, span: int) -> int:
    """Bytes of one cell of one series."""
    return sum(narrow(field, span).itemsize for field in fields)
