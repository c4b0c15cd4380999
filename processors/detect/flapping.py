"""Flapping: a result that changes too often to be told each time.

Formula (Nagios and Sensu): of the last 21 results there are 20 changes from one to the next; change
i (1 the oldest) weighs 0.80 + 0.02 × (i − 1), so 0.80 to 1.18; the change rate is the sum of the
weights of the changes that happened, over 20, in percent. A series begins to flap at `high` and
ends below `low`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Complaint, Finding, Found
from processors.detect.reading import Results
from processors.detect.table import Table
from processors.detect.words import number
from processors.promql.columns import Floats, Rows, Source
from processors.promql.plan import Plan
from processors.rules.model import Duration

RESULTS = 21
CHANGES = RESULTS - 1
WEIGHTS = 0.80 + 0.02 * np.arange(CHANGES)
FIELDS = {"heard": 1, "seen_at": 1, "results": 1, "last": 1, "flaps": 1, "changed": CHANGES}


class FlappingOptions(Options):
    """`expr`: a result a series, at each evaluation of its group; thresholds in percent."""

    expr: str = Field(min_length=1)
    high: float = Field(default=50.0, gt=0, le=100)
    low: float = Field(default=25.0, ge=0, lt=100)
    forget: Duration = Field(default=86_400_000, ge=60_000)
    max_series: int = Field(default=20_000, ge=1, le=200_000)


def rate(changed: Floats) -> Floats:
    """Percent of change of each row; `changed` (rows, 20) is 1 where a result differs."""
    percent: Floats = changed @ WEIGHTS / CHANGES * 100
    return percent


@dataclass(frozen=True, slots=True)
class Flapping:
    """The validated section."""

    options: FlappingOptions
    results: Results

    @property
    def plans(self) -> tuple[Plan, ...]:
        return self.results.plans

    def begin(self, kept: Mapping[str, bytes]) -> "_Flapping":
        return _Flapping(self, kept)


class _Flapping:
    """Results so far, by series."""

    def __init__(self, detector: Flapping, kept: Mapping[str, bytes]) -> None:
        self._options, self._results = detector.options, detector.results
        self._table = Table(FIELDS, self._options.max_series, kept)

    def step(self, source: Source, at: int) -> Found:
        """Take a result of each series that has one; the others stand as they are."""
        vector, times = self._results.read(source, at)
        rows = self._table.rows(vector.series)
        new = np.flatnonzero(vector.present & (times > self._table["heard"][rows, 0]))
        self._table["heard"][rows[new], 0] = times[new]
        self._take(rows[new], vector.values[new], at)
        table, options = self._table, self._options
        held = table.held()
        held = held[table["results"][held, 0] > 0]
        old = at - table["seen_at"][held, 0] > options.forget
        table.drop(held[old])
        held = held[~old]
        flaps = held[table["flaps"][held, 0] > 0]
        rates = rate(table["changed"][flaps])
        return Found(
            tuple(
                Finding(
                    table.labels(row),
                    percent,
                    (
                        ("change_rate", f"{number(percent)}%"),
                        ("changes", f"{int(table['changed'][row].sum())} of {CHANGES}"),
                    ),
                )
                for row, percent in zip(flaps.tolist(), rates.tolist(), strict=True)
            )
        )

    def changes(self) -> Mapping[str, bytes | None]:
        """What a restart has to know."""
        return self._table.changes()

    def _take(self, rows: Rows, values: Floats, at: int) -> None:
        table, options = self._table, self._options
        known = table["results"][rows, 0] > 0
        moved = (known & (values != table["last"][rows, 0])).astype(np.float64)
        before = table["changed"][rows]
        after = np.concatenate((before[:, 1:], moved[:, None]), axis=1)
        table["changed"][rows] = after
        table["last"][rows, 0] = values
        table["results"][rows, 0] = np.minimum(table["results"][rows, 0] + 1, RESULTS)
        percent = rate(after)
        flapped = table["flaps"][rows, 0] > 0
        flaps = np.where(flapped, percent >= options.low, percent >= options.high)
        table["flaps"][rows, 0] = flaps
        # A steady series is written seldom: when it was last seen matters to `forget` alone.
        due = at - table["seen_at"][rows, 0] > options.forget / 8
        table["seen_at"][rows, 0] = np.where(due, at, table["seen_at"][rows, 0])
        table.touch(rows[due | ~known | before.any(axis=1) | (moved > 0)])


def build(options: FlappingOptions, compile_: Compile) -> Built:
    """From options to a detector."""
    if options.low >= options.high:
        raise Complaint(("low",), "must be below 'high'", f"high is {options.high:g}")
    return Built(Flapping(options, Results.of(options.expr, compile_)))


KIND = Kind(FlappingOptions, build)
