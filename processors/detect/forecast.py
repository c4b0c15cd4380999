"""Forecast: when a resource runs out, by a robust line through its recent values.

The line is Theil and Sen's: neither a few outliers nor a burst bend it. Its slope has bounds at the
confidence that is asked for; `bound` says which of them must reach the threshold in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from processors.detect import standing
from processors.detect.formulas import normal_quantile, theil_sen
from processors.detect.inputs import compiled, finite
from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Detection, Finding, Found
from processors.detect.sheet import HOUR, Layout, Sheet
from processors.detect.words import moment, number, span
from processors.promql.columns import Floats, Source
from processors.promql.plan import Plan
from processors.rules.model import Duration

DAY = 24 * HOUR
AT_ONCE = 2_000_000
"""Slopes that are worked out together: 16 MB."""
BOUNDS = {"early": 0, "central": 1, "late": 2}


class ForecastOptions(Options):
    """`expr` runs out at a value `below` or `above`, in its own unit."""

    expr: str = Field(min_length=1)
    below: float | None = None
    above: float | None = None
    horizon: Duration = Field(ge=60_000, le=365 * DAY)
    window: Duration = Field(default=6 * HOUR, ge=300_000, le=90 * DAY)
    points: int = Field(default=48, ge=8, le=96)
    min_points: int = Field(default=12, ge=4, le=96)
    confidence: float = Field(default=0.9, gt=0, lt=1)
    bound: Literal["early", "central", "late"] = "late"
    hold: Duration = Field(default=900_000, le=DAY)
    max_series: int = Field(default=2000, ge=1, le=20_000)

    @model_validator(mode="after")
    def _has_one_threshold(self) -> Self:
        if (self.below is None) is (self.above is None):
            raise ValueError("needs one threshold: below or above")
        if self.min_points > self.points:
            raise ValueError("'min_points' is more than 'points'")
        return self

    @property
    def every(self) -> int:
        """How far apart the values that are kept are, in ms."""
        return self.window // self.points


@dataclass(frozen=True, slots=True)
class Forecast:
    """A validated `forecast:` section."""

    options: ForecastOptions
    plan: Plan

    @property
    def plans(self) -> tuple[Plan, ...]:
        return (self.plan,)

    def begin(self, kept: Mapping[str, bytes]) -> Detection:
        return _Watching(self, kept)


class _Watching:
    """Where each series has been, and its line: the sign is turned so that it falls to run out."""

    def __init__(self, forecast: Forecast, kept: Mapping[str, bytes]) -> None:
        options = self._options = forecast.options
        self._plan = forecast.plan
        self._sign = 1.0 if options.above is None else -1.0
        threshold = options.below if options.above is None else options.above
        assert threshold is not None
        self._threshold = self._sign * threshold
        layouts = (Layout("values", options.points, fill=np.nan), *standing.layouts())
        self._sheet = sheet = Sheet(layouts, kept, options.max_series, options.window + HOUR)
        self._lines = np.zeros((4, 0))
        self._fitted_at = -1
        if sheet.clock is not None:
            self._fit(sheet.clock)

    def step(self, source: Source, at: int) -> Found:
        """See when each line arrives; take a value once in `every` ms."""
        sheet, options = self._sheet, self._options
        sheet.begin(at)
        rows, values = finite(self._plan, source, at, sheet)
        if sheet.clock is None or at // options.every > sheet.clock // options.every:
            ring, column = sheet["values"], at // options.every % options.points
            ring.clear(column, at)[0, rows] = values * self._sign
            ring.touch(column)
            sheet.clock = at
            self._fit(at)
        lines = np.full((4, len(rows)), np.nan)
        fitted = np.flatnonzero(
            (rows < self._lines.shape[1]) & (sheet.born[rows] <= self._fitted_at)
        )
        lines[:, fitted] = self._lines[:, rows[fitted]]
        left = self._left(values * self._sign, lines, at)
        odd = left[BOUNDS[options.bound]] <= options.horizon
        found = np.zeros((1, sheet.capacity), np.bool_)
        found[0, rows[odd]] = True
        held = standing.held(sheet, found, rows, at, options.hold)
        findings = [
            self._finding(int(rows[i]), float(values[i]), left[:, i], float(lines[1, i]), at)
            for i in np.flatnonzero(odd).tolist()
        ]
        return Found(
            tuple(sorted(findings, key=lambda each: each.labels)),
            frozenset(sheet.of(row) for _, row in held),
        )

    def changes(self) -> Mapping[str, bytes | None]:
        """The values that were taken."""
        return self._sheet.changes()

    def _fit(self, at: int) -> None:
        """The lines as of the last value; times in ms after it."""
        ring, options, size = self._sheet["values"], self._options, len(self._sheet.labels)
        columns = np.flatnonzero(ring.stamps > at - options.window)
        columns = columns[np.argsort(ring.stamps[columns])]
        times = (ring.stamps[columns] - at).astype(float)
        rows = np.ascontiguousarray(ring.values[columns, 0, :size].T)
        self._lines = np.full((4, size), np.nan)
        self._fitted_at = at
        enough = np.flatnonzero(np.count_nonzero(~np.isnan(rows), axis=1) >= options.min_points)
        if not enough.size:
            return
        quantile = normal_quantile((1 + options.confidence) / 2)
        block = max(1, 2 * AT_ONCE // len(columns) ** 2)
        for start in range(0, len(enough), block):
            part = enough[start : start + block]
            self._lines[:, part] = theil_sen(times, rows[part], quantile)

    def _left(self, values: Floats, lines: Floats, at: int) -> Floats:
        """ms until a line at its low, middle and high slope is at the threshold, by series.

        It starts from the line or from the value itself, whichever has more left: what was freed
        just now counts at once.
        """
        gap = np.fmax(lines[3] + lines[1] * (at - self._fitted_at), values) - self._threshold
        with np.errstate(all="ignore"):
            left = np.where(lines[:3] < 0, np.maximum(gap, 0.0) / -lines[:3], np.inf)
        arrived: Floats = np.where(values <= self._threshold, 0.0, left)
        return arrived

    def _finding(self, row: int, value: float, left: Floats, slope: float, at: int) -> Finding:
        early, middle, late = left.tolist()
        chosen = left[BOUNDS[self._options.bound]]
        facts = [
            ("observed", number(value)),
            ("runs_out", _when(at, middle)),
            ("in", "never" if middle == np.inf else span(middle)),
            ("between", f"{_when(at, early)} and {_when(at, late)}"),
        ]
        if np.isfinite(slope):
            facts.append(("per_hour", number(slope * self._sign * HOUR)))
        return Finding(self._sheet.of(row), float(chosen) / 1000, tuple(facts))


def _when(at: int, left: float) -> str:
    # datetime ends with the year 9999.
    return "never" if left > 1000 * 365 * DAY else moment(at + left)


def build(options: ForecastOptions, compile_: Compile) -> Built:
    """The detector, or what is wrong with its expression."""
    return Built(Forecast(options, compiled(options.expr, compile_)))


KIND = Kind(ForecastOptions, build)
