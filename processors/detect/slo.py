"""Error budgets: multi-window, multi-burn-rate alerts as the SRE workbook has them (chapter 5).

Burn rate over a window = (bad / total) / (1 - objective). An alert stands while both of its windows
burn faster than its rate. Events are counted from the counters: the last five minutes anew at each
instant, since late samples may still come; what is older is final and kept as sums by minute (for
2 h), by 10 minutes (3 d) and by hour (30 d).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from processors.detect import standing
from processors.detect.counting import LATENESS, SPAN, Counts
from processors.detect.kind import Compile, Kind
from processors.detect.model import Built, Complaint, Detection, Found
from processors.detect.periods import Periods
from processors.detect.sheet import Layout, Sheet
from processors.detect.slo_options import (
    DAY,
    HOUR,
    MINUTE,
    MOST_ALERTS,
    Burn,
    SloOptions,
    burns,
    indicator,
    unreachable,
)
from processors.detect.slo_told import Told, errors
from processors.promql.columns import Floats, Mask, Rows, Source
from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.labels import Labels
from processors.promql.plan import Plan

FORGET = 31 * DAY
LEARNED_FROM = frozenset({"good", "bad", "total", "latency", "by"})


@dataclass(frozen=True, slots=True)
class Slo:
    """A validated `slo:` section; `part` counts the good events or the bad ones."""

    options: SloOptions
    burns: tuple[Burn, ...]
    part: Counts
    part_is_good: bool
    total: Counts

    @property
    def plans(self) -> tuple[Plan, ...]:
        return (self.part.plan, self.total.plan)

    def begin(self, kept: Mapping[str, bytes]) -> Detection:
        return _Budget(self, kept)

    def resume(self, earlier: Detection) -> Detection:
        """Go on with the budget that was spent under other options."""
        assert isinstance(earlier, _Budget)
        earlier.follow(self)
        return earlier


class _Budget:
    """What was counted of each series, good and all, for 30 days."""

    def __init__(self, slo: Slo, kept: Mapping[str, bytes]) -> None:
        layouts = (
            Layout("minutes", 122, 2, 8),
            Layout("tens", 434, 2, 8),
            Layout("hours", 722, 2, 8),
            Layout("counted", fields=2),
            *standing.layouts(MOST_ALERTS),
        )
        self._sheet = sheet = Sheet(layouts, kept, slo.options.max_series, FORGET)
        self._minutes = Periods(sheet["minutes"], MINUTE)
        self._tens = Periods(sheet["tens"], 10 * MINUTE, self._minutes)
        self._hours = Periods(sheet["hours"], HOUR, self._minutes)
        self.follow(slo)

    def follow(self, slo: Slo) -> None:
        """Judge by these options from now on."""
        self._slo = slo
        self._told = Told(slo.options, slo.burns)
        self._sheet.limit = slo.options.max_series
        self._windows = sorted(
            {each for burn in slo.burns for each in (burn.long, burn.short)}
            | {slo.options.window_ms}
        )

    def step(self, source: Source, at: int) -> Found:
        """Count what is new, and see how fast it burns."""
        sheet = self._sheet
        sheet.begin(at)
        settled = at - LATENESS
        if sheet.clock is not None and settled > sheet.clock:
            self._settle(source, sheet.clock, settled)
        sheet.clock = settled if sheet.clock is None else max(settled, sheet.clock)
        known, recent = self._counted(source, settled, at)
        spent = np.zeros((2, sheet.capacity))
        spent[:, known] = recent
        within = {each: self._within(each, spent, at) for each in self._windows}
        found = self._burning(within)
        hold = self._slo.options.hold
        held = standing.held(sheet, found, known, at, hold)
        told = self._told
        findings = [
            finding
            for kind, chosen in enumerate(found)
            if (rows := np.flatnonzero(chosen)).size
            for finding in told.findings(
                kind,
                [sheet.of(row) for row in rows.tolist()],
                {each: counts[:, rows] for each, counts in within.items()},
            )
        ]
        return Found(
            tuple(sorted(findings, key=lambda each: each.labels)),
            frozenset(told.labels(kind, sheet.of(row)) for kind, row in held),
            tuple(self._samples(within, at)),
        )

    def changes(self) -> Mapping[str, bytes | None]:
        """What was counted."""
        return self._sheet.changes()

    def _settle(self, source: Source, start: int, end: int) -> None:
        """Count what is final of (start, end]."""
        rows, amounts = self._counted(source, max(start, end - SPAN), end)
        self._tens.advance(start, end)
        self._hours.advance(start, end)
        self._minutes.add(end, rows, amounts)
        if len(rows):
            self._sheet["counted"].values[0][:, rows] += amounts
            self._sheet["counted"].touch()

    def _counted(self, source: Source, start: int, end: int) -> tuple[Rows, Floats]:
        """Rows of which something is known in (start, end], and what they counted: good, all."""
        sheet, slo = self._sheet, self._slo
        total = slo.total.between(source, start, end)
        part = slo.part.between(source, start, end)
        if slo.options.latency is not None and len(total) and not len(part):
            threshold = slo.options.latency.threshold
            raise EvaluationFailed(f"no bucket has the bound le={threshold:g}: use one that is")
        places = [sheet.rows(each) for each in (total, part)]
        counts = np.zeros((2, sheet.capacity))
        known = np.zeros(sheet.capacity, np.bool_)
        for line, vector, (here, rows) in zip(counts, (total, part), places, strict=True):
            values = vector.values[here]
            np.add.at(line, rows, np.where(np.isfinite(values), np.maximum(values, 0.0), 0.0))
            known[rows] = True
        events = np.maximum(counts[0], counts[1])  # whatever is good or bad is an event
        good = counts[1] if slo.part_is_good else events - counts[1]
        rows = np.flatnonzero(known)
        return rows, np.stack((good[rows], events[rows]))

    def _within(self, window: int, recent: Floats, at: int) -> Floats:
        """Good and all events of a window that ends now, by [field, row]."""
        end = at - LATENESS
        if window <= 2 * HOUR:
            older = self._minutes
        else:
            older = self._tens if window <= 3 * DAY else self._hours
        return recent + older.sum(at - window, end)

    def _burning(self, within: Mapping[int, Floats]) -> Mask:
        """Which [alert, row] burns too fast, on enough events to say so."""
        options = self._slo.options
        found = np.zeros((MOST_ALERTS, self._sheet.capacity), np.bool_)
        for kind, burn in enumerate(self._slo.burns):
            long, short = within[burn.long], within[burn.short]
            enough = (long[1] >= options.min_requests) & (short[1] >= options.min_short_requests)
            enough &= long[1] - long[0] >= options.min_errors
            limit = burn.rate * options.budget
            found[kind] = enough & (errors(long) > limit) & (errors(short) > limit)
        return found

    def _samples(self, within: Mapping[int, Floats], at: int) -> list[tuple[Labels, float]]:
        """The SLO as series, of those that were seen within the hour."""
        sheet = self._sheet
        counted = sheet["counted"].values[0]
        rows = sheet.seen_since(at - HOUR)
        chosen = {each: counts[:, rows] for each, counts in within.items()}
        known = np.minimum(at - sheet.born[rows], self._slo.options.window_ms) / 1000
        own = [sheet.of(row) for row in rows.tolist()]
        return self._told.samples(own, counted[:, rows], known, chosen)


def build(options: SloOptions, compile_: Compile) -> Built:
    """The detector, or what is wrong with its expressions."""
    counts: dict[str, Counts] = {}
    try:
        wanted = indicator(options)
    except Refused as fault:
        raise Complaint(("latency", "histogram"), str(fault), repr(options.latency)) from fault
    for option, expr, kind in wanted:
        by = options.by if option != "latency" else options.by or ()
        counts[kind] = Counts.of(expr, by, compile_, option)
    total = counts.pop("total")
    ((kind, part),) = counts.items()
    slo = Slo(options, burns(options), part, kind == "good", total)
    own = "alerts" in options.model_fields_set
    warnings = tuple(
        (("alerts", place) if own else ("objective",), warning)
        for place, warning in unreachable(options)
    )
    return Built(slo, warnings)


KIND = Kind(SloOptions, build, LEARNED_FROM)
