"""Samples for PromQL: series by matchers, their values as flat arrays, each sample once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol  # pyarrow has no types

import numpy as np

from ops.history.errors import HistoryError, HistoryRefused

Matcher = tuple[str, str, str]
"""A label's name, one of = != =~ !~, and a value or regular expression."""

NAME: Final = "__name__"
_OPERATORS: Final = ("=", "!=", "=~", "!~")
MOST_SAMPLES: Final = 20_000_000
"""Samples of one selection: half a gigabyte as arrays, and more while it is sorted."""
MOST_SECONDS: Final = 30
_LIMITS: Final[dict[str, Any]] = {
    "max_result_rows": MOST_SAMPLES,
    "result_overflow_mode": "throw",
    "max_execution_time": MOST_SECONDS,
    "timeout_overflow_mode": "throw",
}
_TOO_MUCH: Final = {158, 159, 241, 396}
"""ClickHouse's numbers for too many rows, too much time, memory, or too large a result."""


class Answers(Protocol):
    """What the selection needs of history."""

    def query_arrow(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Any:
        """The answer as an Arrow table."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The series found, `__name__` among their labels, and their samples by series and time."""

    labels: tuple[dict[str, str], ...]
    series: np.ndarray[Any, np.dtype[np.int64]]
    times: np.ndarray[Any, np.dtype[np.int64]]
    values: np.ndarray[Any, np.dtype[np.float64]]


def conditions(matchers: Sequence[Matcher]) -> tuple[str, dict[str, str]]:
    """The matchers as SQL over `series`, all their texts as bound parameters.

    An absent label equals the empty one, and an expression matches a whole value, newlines
    included: as in Prometheus.
    """
    clauses, params = ["1"], {}
    for number, (name, operator, text) in enumerate(matchers):
        if operator not in _OPERATORS:
            raise ValueError(f"unknown matching operator {operator!r}")
        label = "name"
        if name != NAME:
            label = f"labels[{{n{number}:String}}]"
            params[f"n{number}"] = name
        value = f"{{v{number}:String}}"
        if operator in {"=", "!="}:
            clauses.append(f"{label} {operator} {value}")
            params[f"v{number}"] = text
        else:
            clauses.append(f"{'NOT ' if operator == '!~' else ''}match({label}, {value})")
            params[f"v{number}"] = f"^(?s:{text})$"
    return " AND ".join(clauses), params


def select(history: Answers, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Selection:
    """Samples from `start_ms` to `end_ms`, both included, of the series that match.

    Raises HistoryRefused where that is more than one query may read.
    """
    where, params = conditions(matchers)
    bounds = params | {"start": start_ms, "end": end_ms}
    answer = _bounded(
        history,
        "SELECT series, toUnixTimestamp64Milli(time) AS at, value FROM samples"
        f" WHERE series IN (SELECT id FROM series WHERE {where})"
        " AND time >= fromUnixTimestamp64Milli({start:Int64})"
        " AND time <= fromUnixTimestamp64Milli({end:Int64}) ORDER BY series, time, offset",
        bounds,
    )
    series, times, values = (_column(answer, name) for name in ("series", "at", "value"))
    # Of samples at one instant the last in the log counts, as ReplacingMergeTree(offset) keeps it.
    last = np.ones(series.size, bool)
    last[:-1] = (series[1:] != series[:-1]) | (times[1:] != times[:-1])
    found, index = np.unique(series[last], return_inverse=True)
    return Selection(
        _labels(history, where, params, found), index.astype(np.int64), times[last], values[last]
    )


def _labels(
    history: Answers,
    where: str,
    params: Mapping[str, str],
    wanted: np.ndarray[Any, np.dtype[np.uint64]],
) -> tuple[dict[str, str], ...]:
    """The label sets of the ids, in their order."""
    if wanted.size == 0:
        return ()
    answer = _bounded(
        history,
        "SELECT id, any(name) AS its_name, any(labels) AS its_labels FROM series"
        f" WHERE {where} GROUP BY id",
        params,
    )
    by_id = {
        row["id"]: {NAME: row["its_name"], **dict(row["its_labels"])} for row in answer.to_pylist()
    }
    return tuple(by_id[int(identity)] for identity in wanted)


def _bounded(history: Answers, sql: str, params: Mapping[str, Any]) -> Any:
    """The answer, unless it is too much: history itself is well, so that is no absence."""
    try:
        return history.query_arrow(sql, params, _LIMITS)
    except HistoryError as fault:
        if fault.code not in _TOO_MUCH:
            raise
        raise HistoryRefused(
            f"more than {MOST_SAMPLES:,} samples, {MOST_SECONDS} s or history's memory to answer:"
            " narrow the selector or the range",
            fault.code,
        ) from fault


def _column(answer: Any, name: str) -> Any:
    return answer.column(name).to_numpy()
