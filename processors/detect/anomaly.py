"""Anomaly: a series that is not as it was of late, or not as it is at this hour.

`robust` compares with median and MAD of a sliding window of own values; with a season, of what the
season's level leaves of them. `ewma` compares with exponentially weighted mean and variance; with a
season, one of each for every hour of the day or of the week.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from processors.detect import standing
from processors.detect.baseline import Baseline, Ewma, Expected, Robust
from processors.detect.inputs import Hours, Zone, compiled, finite
from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Detection, Finding, Found
from processors.detect.sheet import HOUR, Layout, Sheet
from processors.detect.words import number
from processors.promql.columns import Floats, Mask, Rows, Source
from processors.promql.plan import Plan
from processors.rules.model import Duration

DAY = 24 * HOUR
SEASONS = {"none": 1, "day": 24, "week": 168}
"""How many hours of a season have an expectation of their own."""


class AnomalyOptions(Options):
    """`expr` gives the series; the rest says what is odd about one of them."""

    expr: str = Field(min_length=1)
    method: Literal["robust", "ewma"] = "robust"
    window: Duration = Field(default=HOUR, ge=60_000, le=14 * DAY)
    every: Duration = Field(default=60_000, ge=1000, le=DAY)
    season: Literal["none", "day", "week"] = "none"
    timezone: Zone = "UTC"
    threshold: float = Field(default=3.5, gt=0, le=1000)
    direction: Literal["up", "down", "both"] = "both"
    warm_up: int = Field(default=30, ge=3, le=10_000)
    min_deviation: float = Field(default=0.0, ge=0)
    min_relative: float = Field(default=0.1, ge=0)
    hold: Duration = Field(default=900_000, le=DAY)
    max_series: int = Field(default=10_000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _has_enough_values(self) -> Self:
        if self.method == "robust" and self.values > 500:
            raise ValueError("'window' has more than 500 values: raise 'every'")
        if self.values < 5:
            raise ValueError("'window' has fewer than 5 values: lower 'every'")
        if self.method == "robust" and self.warm_up > self.values:
            raise ValueError(f"'warm_up' is more than the {self.values} values of 'window'")
        return self

    @property
    def values(self) -> int:
        """How many values a window has."""
        return self.window // self.every


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A validated `anomaly:` section."""

    options: AnomalyOptions
    plan: Plan

    @property
    def plans(self) -> tuple[Plan, ...]:
        return (self.plan,)

    def begin(self, kept: Mapping[str, bytes]) -> Detection:
        return _Watching(self, kept)


class _Watching:
    """What each series was like."""

    def __init__(self, anomaly: Anomaly, kept: Mapping[str, bytes]) -> None:
        options = self._options = anomaly.options
        self._plan = anomaly.plan
        hours = SEASONS[options.season]
        kind = Robust if options.method == "robust" else Ewma
        layouts: tuple[Layout, ...] = (*kind.layouts(options.values, hours), *standing.layouts())
        forget = max(options.window, 3 * hours * HOUR)
        self._sheet = Sheet(layouts, kept, options.max_series, forget)
        self._baseline: Baseline = kind(
            self._sheet, options.values, options.every, hours, Hours(options.timezone)
        )

    def step(self, source: Source, at: int) -> Found:
        """Compare with what was learned, then learn once in `every` ms."""
        sheet, options = self._sheet, self._options
        sheet.begin(at)
        rows, values = finite(self._plan, source, at, sheet)
        expected = self._baseline.expected(at, rows)
        odd = self._odd(values, expected)
        if sheet.clock is None or at // options.every > sheet.clock // options.every:
            clip = expected.spread * options.threshold
            judged = (expected.counts >= options.warm_up) & (clip > 0)
            low = np.where(judged, expected.level - clip, -np.inf)
            high = np.where(judged, expected.level + clip, np.inf)
            self._baseline.learn(at, rows, values, np.clip(values, low, high))
            sheet.clock = at
        found = np.zeros((1, sheet.capacity), np.bool_)
        found[0, rows[odd]] = True
        held = standing.held(sheet, found, rows, at, options.hold)
        findings = self._findings(rows, values, expected, odd)
        return Found(tuple(findings), frozenset(sheet.of(row) for _, row in held))

    def changes(self) -> Mapping[str, bytes | None]:
        """What was learned."""
        return self._sheet.changes()

    def _odd(self, values: Floats, expected: Expected) -> Mask:
        options = self._options
        away = values - expected.level
        far = np.abs(away)
        odd: Mask = (far > options.threshold * expected.spread) & (far > 0)
        odd &= (far >= options.min_deviation) & (
            far >= options.min_relative * np.abs(expected.level)
        )
        odd &= expected.counts >= options.warm_up
        if options.direction != "both":
            odd &= (away > 0) if options.direction == "up" else (away < 0)
        return odd

    def _findings(self, rows: Rows, values: Floats, expected: Expected, odd: Mask) -> list[Finding]:
        found = []
        for place in np.flatnonzero(odd).tolist():
            level, spread = float(expected.level[place]), float(expected.spread[place])
            value = float(values[place])
            away = value - level
            score = f"{number(away / spread)} times" if spread else "it had no spread at all,"
            allowed = self._options.threshold * spread
            facts = (
                ("expected", f"{number(level)} ± {number(allowed)}"),
                ("observed", number(value)),
                ("deviation", f"{number(away)}: {score} its usual spread of {number(spread)}"),
            )
            found.append(Finding(self._sheet.of(int(rows[place])), value, facts))
        return sorted(found, key=lambda each: each.labels)


def build(options: AnomalyOptions, compile_: Compile) -> Built:
    """The detector, or what is wrong with its expression."""
    return Built(Anomaly(options, compiled(options.expr, compile_)))


KIND = Kind(AnomalyOptions, build)
