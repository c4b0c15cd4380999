"""PromQL's range functions over cells: which fields each needs, and what it makes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from processors.partials.cells import Cells
from processors.partials.fields import Field, Fields, together
from processors.promql.columns import Floats, Times
from processors.promql.kernels import rates
from processors.promql.kernels.registry import RANGES, RangeKernel


@dataclass(frozen=True, slots=True)
class Span:
    """Cells of (start, end], as an evaluation at `at` sees them."""

    cells: Cells
    start: int
    end: int
    at: int

    def __getitem__(self, field: Field) -> Floats:
        column: Floats = self.cells[field]
        return column

    def time(self, field: Field) -> Times:
        """A field of times, as ms since 1970."""
        return np.asarray(self.cells[field] + self.cells.base, np.int64)


@dataclass(frozen=True, slots=True)
class Answer:
    """A function of each row's cells, with the call's scalar arguments in PromQL's order."""

    fields: Fields
    apply: Callable[..., Floats]


def _grown(span: Span, *, counter: bool, per_second: bool) -> Floats:
    grown = span[Field.LAST] - span[Field.FIRST]
    if counter:
        grown = grown + span[Field.LOST]
    return rates.extrapolated(
        (span.time(Field.FIRST_AT), span[Field.FIRST]),
        span.time(Field.LAST_AT),
        grown,
        span.cells[Field.COUNT],
        (span.start, span.end),
        counter=counter,
        per_second=per_second,
    )


def _rate(span: Span) -> Floats:
    return _grown(span, counter=True, per_second=True)


def _increase(span: Span) -> Floats:
    return _grown(span, counter=True, per_second=False)


def _delta(span: Span) -> Floats:
    return _grown(span, counter=False, per_second=False)


def _instant_rate(span: Span) -> Floats:
    last, before = span[Field.LAST], span[Field.BEFORE]
    grown = np.where(last < before, last, last - before)
    between: Floats = (span[Field.LAST_AT] - span[Field.BEFORE_AT]) / 1000
    return np.asarray(grown / between)


def _instant_delta(span: Span) -> Floats:
    return np.asarray(span[Field.LAST] - span[Field.BEFORE])


def _average(span: Span) -> Floats:
    return np.asarray(span[Field.SUM] / span[Field.COUNT])


def _variance(span: Span) -> Floats:
    return np.asarray(span[Field.SQUARES] / span[Field.COUNT])


def _deviation(span: Span) -> Floats:
    return np.sqrt(_variance(span))


def _slope(span: Span) -> Floats:
    return np.asarray(span[Field.PRODUCTS] / span[Field.TIME_SQUARES])


def _predicted(span: Span, seconds: float) -> Floats:
    ahead = (span.at - span.cells.base) / 1000 - span[Field.MEAN_AT] + seconds
    return np.asarray(_slope(span) * ahead + span[Field.MEAN])


def _present(span: Span) -> Floats:
    return np.ones(span.cells.size)


def _plain(field: Field) -> Callable[[Span], Floats]:
    return lambda span: span[field].astype(np.float64)


def _seconds(field: Field) -> Callable[[Span], Floats]:
    return lambda span: np.asarray(span.time(field) / 1000)


_ENDS = (Field.FIRST, Field.FIRST_AT, Field.LAST, Field.LAST_AT)
_NEWEST_TWO = (Field.LAST, Field.LAST_AT, Field.BEFORE, Field.BEFORE_AT)
_LINE = (Field.MEAN, Field.MEAN_AT, Field.TIME_SQUARES, Field.PRODUCTS)
_SERVED: Mapping[str, tuple[tuple[Field, ...], Callable[..., Floats]]] = {
    "rate": ((*_ENDS, Field.LOST), _rate),
    "increase": ((*_ENDS, Field.LOST), _increase),
    "delta": (_ENDS, _delta),
    "irate": (_NEWEST_TWO, _instant_rate),
    "idelta": (_NEWEST_TWO, _instant_delta),
    "changes": ((Field.CHANGES,), _plain(Field.CHANGES)),
    "resets": ((Field.RESETS,), _plain(Field.RESETS)),
    "avg_over_time": ((Field.SUM,), _average),
    "sum_over_time": ((Field.SUM,), _plain(Field.SUM)),
    "min_over_time": ((Field.LOW,), _plain(Field.LOW)),
    "max_over_time": ((Field.HIGH,), _plain(Field.HIGH)),
    "count_over_time": ((Field.COUNT,), _plain(Field.COUNT)),
    "first_over_time": ((Field.FIRST,), _plain(Field.FIRST)),
    "last_over_time": ((Field.LAST,), _plain(Field.LAST)),
    "present_over_time": ((Field.COUNT,), _present),
    "ts_of_first_over_time": ((Field.FIRST_AT,), _seconds(Field.FIRST_AT)),
    "ts_of_last_over_time": ((Field.LAST_AT,), _seconds(Field.LAST_AT)),
    "stddev_over_time": ((Field.SQUARES,), _deviation),
    "stdvar_over_time": ((Field.SQUARES,), _variance),
    "deriv": (_LINE, _slope),
    "predict_linear": (_LINE, _predicted),
}

ANSWERS: Mapping[RangeKernel, Answer] = {
    RANGES[name]: Answer(together(fields), apply) for name, (fields, apply) in _SERVED.items()
}
NAMES: Mapping[RangeKernel, str] = {kernel: name for name, kernel in RANGES.items()}
