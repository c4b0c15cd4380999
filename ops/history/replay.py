"""Samples in the order in which the log had them, as a back-test reads them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final  # pyarrow has no types

import numpy as np

from ops.history.samples import NAME, Answers, Matcher, conditions
from processors.backtest import Replayed
from processors.promql.labels import Labels
from schemas.labels import labels_of

SLICE: Final = 1_800_000
"""ms of the log that are read at once."""
LATE: Final = 86_400_000
"""A sample may be that much older (ms) than its record: what a spool held back."""


def replay(
    history: Answers, selectors: Sequence[Sequence[Matcher]], start: int, end: int
) -> Iterator[Replayed]:
    """Records appended in [start, end) ms, with those of their samples that a selector takes.

    Raises HistoryError.
    """
    where, params = _any_of(selectors)
    labels = _labels(history, where, params)
    for begin in range(start, end, SLICE):
        bounds = {"start": begin, "end": min(begin + SLICE, end), "oldest": begin - LATE}
        answer = history.query_arrow(
            "SELECT series, toUnixTimestamp64Milli(time) AS at, value,"
            " toUnixTimestamp64Milli(appended) AS appended_at, partition, offset"
            f" FROM samples FINAL WHERE series IN (SELECT id FROM series WHERE {where})"
            " AND time >= fromUnixTimestamp64Milli({oldest:Int64})"
            " AND appended >= fromUnixTimestamp64Milli({start:Int64})"
            " AND appended < fromUnixTimestamp64Milli({end:Int64})"
            " ORDER BY appended_at, partition, offset, series, at",
            params | bounds,
        )
        yield from _records(answer, labels)


def _any_of(selectors: Sequence[Sequence[Matcher]]) -> tuple[str, dict[str, Any]]:
    clauses, params = [], dict[str, Any]()
    for number, matchers in enumerate(selectors):
        where, bound = conditions(matchers)
        # The parameters of each selector get a number of their own.
        for key in sorted(bound, key=len, reverse=True):
            where = where.replace(f"{{{key}:", f"{{s{number}{key}:")
            params[f"s{number}{key}"] = bound[key]
        clauses.append(f"({where})")
    return " OR ".join(clauses) or "0", params


def _labels(history: Answers, where: str, params: dict[str, Any]) -> dict[int, Labels]:
    answer = history.query_arrow(
        "SELECT id, any(name) AS its_name, any(labels) AS its_labels FROM series"
        f" WHERE {where} GROUP BY id",
        params,
    )
    return {
        row["id"]: labels_of({NAME: row["its_name"], **dict(row["its_labels"])})
        for row in answer.to_pylist()
    }


def _records(answer: Any, labels: dict[int, Labels]) -> Iterator[Replayed]:
    columns = ("series", "at", "value", "appended_at", "partition", "offset")
    series, times, values, appended, partition, offset = (
        answer.column(name).to_numpy() for name in columns
    )
    if not series.size:
        return
    moved = (partition[1:] != partition[:-1]) | (offset[1:] != offset[:-1])
    bounds = np.flatnonzero(np.concatenate(([True], moved, [True]))).tolist()
    for first, last in pairwise(bounds):
        span = slice(first, last)
        yield Replayed(
            int(appended[first]),
            tuple(labels[int(each)] for each in series[span]),
            times[span].tolist(),
            values[span].tolist(),
        )
