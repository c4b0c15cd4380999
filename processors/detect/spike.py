"""Spike: a ratio of events that is not what it is at this hour of the week.

Two proportions are compared: the part of the events in a short window, and that of the baseline,
which is what was counted at the same hour of earlier weeks, each week weighing less. Where that is
too little, the same hour of all days, then all hours. What was found odd is learned only if it
comes again in the same hour of another week, or stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from processors.detect import standing
from processors.detect.counting import LATENESS, SPAN, Counts
from processors.detect.formulas import normal_quantile, two_proportions
from processors.detect.inputs import Hours, Zone
from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Detection, Finding, Found
from processors.detect.seasons import Seasons
from processors.detect.sheet import HOUR, Layout, Sheet
from processors.detect.words import number
from processors.promql.columns import Floats, Mask, Rows, Source
from processors.promql.plan import Plan
from processors.rules.model import Duration, LabelName

DAY = 24 * HOUR


class SpikeOptions(Options):
    """`bad` of `total` events; ratios are from 0 to 1."""

    bad: str = Field(min_length=1)
    total: str = Field(min_length=1)
    by: tuple[LabelName, ...] | None = None
    window: Duration = Field(default=300_000, ge=60_000, le=HOUR)
    confidence: float = Field(default=0.9999, gt=0.5, lt=1)
    direction: Literal["up", "down", "both"] = "up"
    min_events: int = Field(default=100, ge=1)
    min_bad: int = Field(default=5, ge=0)
    min_change: float = Field(default=0.01, ge=0, lt=1)
    min_factor: float = Field(default=2.0, ge=1)
    warm_up: Duration = Field(default=DAY, ge=HOUR, le=28 * DAY)
    baseline_events: int = Field(default=1000, ge=1)
    half_life: Duration = Field(default=14 * DAY, ge=DAY, le=365 * DAY)
    adapt_after: Duration = Field(default=DAY, ge=HOUR, le=365 * DAY)
    timezone: Zone = "UTC"
    hold: Duration = Field(default=900_000, le=DAY)
    max_series: int = Field(default=1000, ge=1, le=20_000)

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.min_bad > self.min_events:
            raise ValueError("'min_bad' is more than 'min_events'")
        return self


@dataclass(frozen=True, slots=True)
class Spike:
    """A validated `spike:` section."""

    options: SpikeOptions
    bad: Counts
    total: Counts

    @property
    def plans(self) -> tuple[Plan, ...]:
        return (self.bad.plan, self.total.plan)

    def begin(self, kept: Mapping[str, bytes]) -> Detection:
        return _Watching(self, kept)


class _Watching:
    """What share of the events was bad, by hour of the week."""

    def __init__(self, spike: Spike, kept: Mapping[str, bytes]) -> None:
        self._spike = spike
        options = self._options = spike.options
        self._delay = max(LATENESS, options.window)
        layouts = (*Seasons.layouts(), Layout("odd", fields=2), *standing.layouts())
        self._sheet = sheet = Sheet(layouts, kept, options.max_series, 4 * 7 * DAY)
        self._clock = Hours(options.timezone)
        self._seasons = Seasons(sheet, options.half_life)

    def step(self, source: Source, at: int) -> Found:
        """Compare what is new, then learn what is final."""
        sheet, options = self._sheet, self._options
        sheet.begin(at)
        rows, counts = self._counted(source, at - options.window, at)
        # A window that lies in two hours may be as is usual in either.
        (earlier, _), (base, ages) = (
            self._seasons.baseline(
                self._clock.number(each), options.baseline_events, options.warm_up // HOUR
            )
            for each in (at - options.window, at)
        )
        z = two_proportions(*counts, *base[:, rows])
        odd = self._odd(z, counts, base[:, rows])
        if earlier is not base and odd.any():
            before = earlier[:, rows]
            odd &= self._odd(two_proportions(*counts, *before), counts, before)
        self._remember(rows[odd], at)
        self._learn(source, at)
        found = np.zeros((1, sheet.capacity), np.bool_)
        found[0, rows[odd]] = True
        held = standing.held(sheet, found, rows, at, options.hold)
        findings = [
            self._finding(int(rows[i]), counts[:, i], base[:, rows[i]], z[i], ages[rows[i]])
            for i in np.flatnonzero(odd).tolist()
        ]
        return Found(
            tuple(sorted(findings, key=lambda each: each.labels)),
            frozenset(sheet.of(row) for _, row in held),
        )

    def changes(self) -> Mapping[str, bytes | None]:
        """What was learned."""
        return self._sheet.changes()

    def _learn(self, source: Source, at: int) -> None:
        """Count what no late sample can change any more."""
        sheet, settled = self._sheet, at - self._delay
        if sheet.clock is not None and settled > sheet.clock:
            rows, counts = self._counted(source, max(sheet.clock, settled - SPAN), settled)
            usual = self._usual(rows, at)
            self._seasons.learn(self._clock.number(settled), rows, counts, usual)
        sheet.clock = settled if sheet.clock is None else max(settled, sheet.clock)

    def _counted(self, source: Source, start: int, end: int) -> tuple[Rows, Floats]:
        """Rows that had events in (start, end], and how many: bad, all."""
        sheet = self._sheet
        vectors = [
            each.between(source, start, end) for each in (self._spike.bad, self._spike.total)
        ]
        places = [sheet.rows(each) for each in vectors]
        counts = np.zeros((2, sheet.capacity))
        known = np.zeros(sheet.capacity, np.bool_)
        for line, vector, (here, rows) in zip(counts, vectors, places, strict=True):
            values = vector.values[here]
            np.add.at(line, rows, np.where(np.isfinite(values), np.maximum(values, 0.0), 0.0))
            known[rows] = True
        counts[1] = np.maximum(counts[0], counts[1])  # whatever is bad is an event
        chosen = np.flatnonzero(known)
        return chosen, counts[:, chosen]

    def _usual(self, rows: Rows, at: int) -> Mask:
        """Of which rows was nothing found when this was new, or for so long that it is usual."""
        since, last = self._sheet["odd"].values[0][:, rows]
        usual: Mask = (last < at - self._delay) | (at - since > self._options.adapt_after)
        return usual

    def _remember(self, rows: Rows, at: int) -> None:
        """That these are odd, and since when."""
        if rows.size:
            odd = self._sheet["odd"]
            since, last = odd.values[0][:, rows]
            again = at - last <= self._delay
            odd.values[0][:, rows] = np.where(again, since, at), np.full(len(rows), at)
            odd.touch()

    def _odd(self, z: Floats, counts: Floats, base: Floats) -> Mask:
        options = self._options
        (bad, events), (base_bad, base_events) = counts, base
        least = normal_quantile(options.confidence)
        now = bad / np.maximum(events, 1)
        before = base_bad / np.maximum(base_events, 1)
        up = (z > least) & (now - before >= options.min_change)
        up &= (now >= options.min_factor * before) & (bad >= options.min_bad)
        down = (z < -least) & (before - now >= options.min_change)
        down &= now * options.min_factor <= before
        odd: Mask = {"up": up, "down": down, "both": up | down}[options.direction]
        odd &= (events >= options.min_events) & (base_events > 0)
        return odd

    def _finding(self, row: int, counts: Floats, base: Floats, z: float, name: str) -> Finding:
        (bad, events), (base_bad, base_events) = counts.tolist(), base.tolist()
        facts = (
            ("expected", f"{number(100 * base_bad / base_events)} %, as at {name}"),
            ("observed", f"{number(100 * bad / events)} %"),
            ("deviation", f"z = {number(z)}"),
            ("events", f"{bad:,.0f} of {events:,.0f}"),
        )
        return Finding(self._sheet.of(row), bad / events, facts)


def build(options: SpikeOptions, compile_: Compile) -> Built:
    """The detector, or what is wrong with its expressions."""
    before = max(LATENESS, options.window)
    counts = [
        Counts.of(expr, options.by, compile_, path, before)
        for path, expr in (("bad", options.bad), ("total", options.total))
    ]
    return Built(Spike(options, *counts))


KIND = Kind(SpikeOptions, build)
