"""Absent: a series, instance or job that has fallen silent, by its own interval.

The interval is declared (`after`), or learned: the median of the last 8 distances between samples
as the evaluations of the group see them, so never shorter than the group's interval. Silent is what
has had no sample for `factor` intervals. Silence is a finding until a sample comes or `forget` has
passed: nothing that is gone is ever taken for well.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Complaint, Finding, Found
from processors.detect.reading import present, read
from processors.detect.table import Table
from processors.detect.words import moment, span
from processors.promql import labels as label
from processors.promql.columns import Floats, Rows, Source
from processors.promql.labels import Labels
from processors.promql.plan import Plan
from processors.rules.model import Duration, LabelName

GAPS = 8
FEWEST = 3
"""Distances between samples before an interval counts as learned."""
WRITE_EVERY = 60_000
"""ms between writes of when a series was last seen: windows know it better for five minutes."""


class AbsentOptions(Options):
    """`series`: a selector; `by` makes one of all series that share these labels."""

    series: str = Field(min_length=1)
    by: tuple[LabelName, ...] | None = None
    after: Duration | None = Field(default=None, ge=1000)
    factor: float = Field(default=4.0, gt=1, le=1000)
    expect: tuple[Mapping[LabelName, str], ...] = ()
    forget: Duration = Field(default=7 * 86_400_000, ge=60_000)
    max_series: int = Field(default=50_000, ge=1, le=500_000)


@dataclass(frozen=True, slots=True)
class Absent:
    """The validated section; `plan` answers the newest sample's time (s)."""

    options: AbsentOptions
    plan: Plan

    @property
    def plans(self) -> tuple[Plan, ...]:
        return (self.plan,)

    def begin(self, kept: Mapping[str, bytes]) -> "_Absent":
        return _Absent(self, kept)


class _Absent:
    """When everybody was last heard, and how far apart their samples are."""

    def __init__(self, detector: Absent, kept: Mapping[str, bytes]) -> None:
        self._options, self._plan = detector.options, detector.plan
        fields = {"last": 1, "written": 1, "known": 1, "gaps": GAPS}
        self._table = Table(fields, self._options.max_series, kept)
        self._expected = [label.of(each.items()) for each in self._options.expect]

    def step(self, source: Source, at: int) -> Found:
        """Hear who speaks; find who should have."""
        vector = read(self._plan, source, at)
        self._hear(*present(vector, self._table.rows(vector.series)), at)
        self._await(at)
        table = self._table
        held = table.held()
        held = held[table["last"][held, 0] > 0]
        silent = at - table["last"][held, 0]
        expected = {table.row(labels) for labels in self._expected}
        gone = (silent > self._options.forget) & ~np.isin(held, list(expected))
        table.drop(held[gone])
        held, silent = held[~gone], silent[~gone]
        bound = self._bound(held)
        late = np.flatnonzero(silent > bound)
        return Found(tuple(self._finding(int(held[i]), silent[i], bound[i]) for i in late.tolist()))

    def changes(self) -> Mapping[str, bytes | None]:
        """What a restart has to know."""
        return self._table.changes()

    def _hear(self, rows: Rows, seconds: Floats, at: int) -> None:
        table = self._table
        heard = np.round(seconds * 1000)
        last = table["last"][rows, 0]
        new = heard > last
        rows, heard, last = rows[new], heard[new], last[new]
        before = (last > 0) & (heard - last <= self._usual(rows))
        gaps = table["gaps"][rows]
        gaps[before] = np.concatenate(
            (gaps[before][:, 1:], (heard - last)[before][:, None]), axis=1
        )
        table["gaps"][rows] = gaps
        known = table["known"][rows, 0]
        table["known"][rows, 0] = np.minimum(known + before, GAPS)
        table["last"][rows, 0] = heard
        due = (at - table["written"][rows, 0] >= WRITE_EVERY) | (known < FEWEST)
        table["written"][rows, 0] = np.where(due, at, table["written"][rows, 0])
        table.touch(rows[due])

    def _usual(self, rows: Rows) -> Floats:
        """The longest distance (ms) that is still an interval, and not the end of a silence."""
        known = self._table["known"][rows, 0] >= FEWEST
        return np.where(known, self._bound(rows), np.inf)

    def _await(self, at: int) -> None:
        """Who is expected and was never heard is waited for from the first instant on."""
        for labels in self._expected:
            row = self._table.row(labels)
            if self._table["last"][row, 0] == 0:
                self._table["last"][row, 0] = at
                self._table.touch(np.array([row]))

    def _bound(self, rows: Rows) -> Floats:
        """How long (ms) each may be silent; for ever while its interval is not known."""
        if self._options.after is not None:
            return np.full(len(rows), float(self._options.after))
        gaps = np.where(self._table["gaps"][rows] > 0, self._table["gaps"][rows], np.nan)
        known = self._table["known"][rows, 0] >= FEWEST
        bound = np.full(len(rows), np.inf)
        if known.any():
            bound[known] = np.nanmedian(gaps[known], axis=1) * self._options.factor
        return bound

    def _finding(self, row: int, silent: float, bound: float) -> Finding:
        labels: Labels = self._table.labels(row)
        facts = (
            ("state", "no data"),
            ("last_seen", moment(self._table["last"][row, 0])),
            ("expected_within", span(bound)),
        )
        return Finding(labels, silent / 1000, facts)


def build(options: AbsentOptions, compile_: Compile) -> Built:
    """From options to a detector."""
    by = options.by
    if options.expect and by is None:
        raise Complaint(("expect",), "needs 'by': the labels that those expected are known by")
    for i, expected in enumerate(options.expect):
        if set(expected) != set(by or ()):
            raise Complaint(
                ("expect", i), "names other labels than 'by'", f"by is {list(by or ())}"
            )
    if options.expect and options.after is None:
        raise Complaint(("after",), "is needed with 'expect': who was never heard has no interval")
    times = f"timestamp({options.series})"
    if by is not None:
        times = f"max by ({', '.join(by)}) ({times})"
    compile_(options.series)
    return Built(Absent(options, compile_(times)))


KIND = Kind(AbsentOptions, build)
