"""M of N: failures are counted before anybody is told.

Three ways to count, over the results that each series has at the evaluations of its group:
`of: 5` the last five results; `within: 10m` the results of (T − 10 m, T]; `across: site` the series
that differ in that label alone, at this instant (a quorum of probe sites).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Complaint, Detection, Finding, Found
from processors.detect.reading import Results, read
from processors.detect.table import Table
from processors.detect.words import span
from processors.promql import labels as label
from processors.promql.columns import Floats, Rows, Source
from processors.promql.labels import Labels
from processors.promql.plan import Plan
from processors.rules.model import Duration, LabelName

MOST = 240
"""Results of a series that are remembered: so many failures count at the most."""


class MOfNOptions(Options):
    """`expr`: a result a series, failed where it is not 0; `failures` of them make a finding."""

    expr: str = Field(min_length=1)
    failures: int = Field(ge=1, le=MOST)
    of: int | None = Field(default=None, ge=1, le=MOST)
    within: Duration | None = Field(default=None, ge=1000, le=86_400_000)
    across: LabelName | None = None
    at_least: int = Field(default=1, ge=1)
    forget: Duration = Field(default=86_400_000, ge=60_000)
    max_series: int = Field(default=20_000, ge=1, le=200_000)


@dataclass(frozen=True, slots=True)
class MOfN:
    """The validated section."""

    options: MOfNOptions
    results: Results

    @property
    def plans(self) -> tuple[Plan, ...]:
        return self.results.plans

    def begin(self, kept: Mapping[str, bytes]) -> Detection:
        if self.options.across is not None:
            return _Quorum(self)
        return _LastOf(self, kept) if self.options.within is None else _Within(self, kept)


class _LastOf:
    """The last results of each series; one without a result stands as it is."""

    def __init__(self, detector: MOfN, kept: Mapping[str, bytes]) -> None:
        self._options, self._results = detector.options, detector.results
        fields = {"heard": 1, "seen_at": 1, "results": 1, "failed": self._options.of or 1}
        self._table = Table(fields, self._options.max_series, kept)

    def step(self, source: Source, at: int) -> Found:
        """Take the results of this instant, and count."""
        table, options = self._table, self._options
        vector, times = self._results.read(source, at)
        rows = table.rows(vector.series)
        new = np.flatnonzero(vector.present & (times > table["heard"][rows, 0]))
        table["heard"][rows[new], 0] = times[new]
        self._take(rows[new], vector.values[new], at)
        held = table.held()
        held = held[table["results"][held, 0] > 0]
        old = at - table["seen_at"][held, 0] > options.forget
        table.drop(held[old])
        held = held[~old]
        failures = table["failed"][held].sum(axis=1)
        results = table["results"][held, 0]
        found = (failures >= options.failures) & (results >= options.at_least)
        return Found(
            tuple(
                Finding(
                    table.labels(int(held[i])),
                    float(failures[i]),
                    (("failures", f"{failures[i]:g} of the last {results[i]:g} results"),),
                )
                for i in np.flatnonzero(found).tolist()
            )
        )

    def changes(self) -> Mapping[str, bytes | None]:
        """What a restart has to know."""
        return self._table.changes()

    def _take(self, rows: Rows, values: Floats, at: int) -> None:
        table, width = self._table, self._options.of or 1
        before = table["failed"][rows]
        after = np.concatenate((before[:, 1:], (values != 0)[:, None]), axis=1)
        results = table["results"][rows, 0]
        table["failed"][rows] = after
        table["results"][rows, 0] = np.minimum(results + 1, width)
        # What passes for ever is written seldom: when it was seen matters to `forget` alone.
        due = at - table["seen_at"][rows, 0] > self._options.forget / 8
        table["seen_at"][rows, 0] = np.where(due, at, table["seen_at"][rows, 0])
        table.touch(rows[due | (results < width) | before.any(axis=1) | after.any(axis=1)])


class _Within:
    """When each series failed; one that never did costs nothing."""

    def __init__(self, detector: MOfN, kept: Mapping[str, bytes]) -> None:
        self._options, self._results = detector.options, detector.results
        self._table = Table({"failed_at": MOST}, self._options.max_series, kept)

    def step(self, source: Source, at: int) -> Found:
        """Note the failures of this instant, and count those within the window."""
        table, options = self._table, self._options
        vector, when = self._results.read(source, at)
        failed = np.flatnonzero(vector.present & (vector.values != 0))
        rows = np.array([table.row(vector.series.labels[i]) for i in failed.tolist()], np.intp)
        times = table["failed_at"]
        new = when[failed] > times[rows, -1]
        rows, failed = rows[new], failed[new]
        times[rows] = np.concatenate((times[rows][:, 1:], when[failed][:, None]), axis=1)
        table.touch(rows)
        held = table.held()
        failures = (times[held] > at - (options.within or 0)).sum(axis=1)
        table.drop(held[failures == 0])
        return Found(
            tuple(
                Finding(
                    table.labels(int(held[i])),
                    float(failures[i]),
                    (("failures", f"{failures[i]} in {span(options.within or 0)}"),),
                )
                for i in np.flatnonzero(failures >= options.failures).tolist()
            )
        )

    def changes(self) -> Mapping[str, bytes | None]:
        """What a restart has to know."""
        return self._table.changes()


class _Quorum:
    """Sites that fail at this instant: nothing is remembered."""

    def __init__(self, detector: MOfN) -> None:
        self._options, self._results = detector.options, detector.results
        assert self._options.across is not None
        self._across = self._options.across

    def step(self, source: Source, at: int) -> Found:
        """Group the results of this instant by everything but the site, and count."""
        sites: dict[Labels, list[tuple[str, bool]]] = {}
        for labels, value in read(self._results.values, source, at).items():
            key = label.without(labels, {self._across})
            sites.setdefault(key, []).append((label.get(labels, self._across), value != 0))
        findings = []
        for key, results in sorted(sites.items()):
            failed = sorted(site for site, bad in results if bad)
            enough = len(results) >= self._options.at_least
            if len(failed) >= self._options.failures and enough:
                facts = (
                    ("failures", f"{len(failed)} of {len(results)} sites"),
                    ("sites", ", ".join(failed)),
                )
                findings.append(Finding(key, float(len(failed)), facts))
        return Found(tuple(findings))

    def changes(self) -> Mapping[str, bytes | None]:
        """Nothing."""
        return {}


def build(options: MOfNOptions, compile_: Compile) -> Built:
    """From options to a detector."""
    ways = [name for name in ("of", "within", "across") if getattr(options, name) is not None]
    if len(ways) != 1:
        raise Complaint((), "needs one of 'of', 'within' and 'across'", f"got {ways or 'none'}")
    if options.of is not None and options.of < options.failures:
        raise Complaint(("of",), f"{options.failures} failures of {options.of} never happen")
    if options.within is not None and options.at_least > 1:
        raise Complaint(("at_least",), "does not go with 'within', which notes failures alone")
    return Built(MOfN(options, Results.of(options.expr, compile_)))


KIND = Kind(MOfNOptions, build)
