"""How many: events counted by counters, read from the counters themselves.

`increase()` extrapolates, so the increases of neighbouring windows do not add up to what was
counted. Here each series counts what it grew by in (start, end], with resets, from its newest
sample before `start`. What was counted until `end` is final once no sample of that time can come
any more, and so may be added up for weeks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from processors.detect.counted import Counted, How, counted, counting, grouped
from processors.detect.kind import Compile
from processors.detect.model import Complaint
from processors.promql import sums
from processors.promql.build import Builder
from processors.promql.columns import Columns, Floats, Mask, Source
from processors.promql.errors import Refused
from processors.promql.plan import DEFAULT_STEP, Plan, SelectorUse
from processors.promql.selector import Selector
from processors.promql.tree import Aggregate
from processors.promql.vector import Vector
from processors.promql.window import Window, cut, newest

LATENESS = 300_000
"""ms after which no sample of a time can come any more: the detector's bound."""
SPAN = 600_000
"""ms of which is counted at one instant, where instants lie further apart than usual."""
BASE = 600_000
"""ms by which the sample that a counter's increase begins with may be older than `start`."""
HINT = (
    "sums of counters are counted: for example sum by (service) (rate(http_requests_total[5m])), "
    "or sum_over_time and count_over_time of what is 0 or 1"
)


@dataclass(frozen=True, slots=True)
class Counts:
    """A sum of counters; `plan` is evaluated on increases only."""

    plan: Plan

    @staticmethod
    def of(
        expr: str, by: Sequence[str] | None, compile_: Compile, path: str, before: int = LATENESS
    ) -> "Counts":
        """Compile; `before` (ms) is how long before an instant something is counted yet.

        Raises `Complaint` at the option `path`.
        """
        try:
            plan = compile_(expr)
            tree = counting(plan.tree)
            if by is not None:
                tree = Aggregate("sum", tree, True, tuple(by))
            elif not grouped(plan.tree):
                raise Refused("says not by which labels to sum")
            root = Builder(DEFAULT_STEP).build(tree)
        except Refused as fault:
            raise Complaint((path,), f"could not use expression: {fault}", HINT) from fault
        plain = {each.plain for each in counted(tree)}
        uses = tuple(SelectorUse(each, before + SPAN + BASE) for each in plain)
        shown = plan.tree if by is None else Aggregate("sum", plan.tree, True, tuple(by))
        return Counts(replace(plan, tree=shown, selectors=uses, root=root))

    def between(self, source: Source, start: int, end: int) -> Vector:
        """What was counted in (start, end], in ms; raises EvaluationFailed."""
        value = self.plan.evaluate(_Increases(source, start, end), end)
        assert isinstance(value, Vector)  # `_counting` refuses scalars
        return value


class _Increases:
    """A source that shows what each series counted in (start, end], as one sample at `end`."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source, self._start, self._end = source, start, end

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        assert isinstance(selector, Counted)
        start, end = self._start, self._end
        columns = self._source.select(selector.plain, start - BASE, end)
        window = cut(columns, start, end, end)
        size = len(columns.series)
        if selector.how is How.GROWTH:
            values, known = _growth(window, *newest(columns, start - BASE, start)[1:])
        else:
            known = window.counts > 0
            values = sums.total(window.filled(0.0)) if window.values.size else np.zeros(size)
            if selector.how is How.NUMBER:
                values = window.counts.astype(np.float64)
        times = np.full((size, 1), end, np.int64)
        return Columns(columns.series, times, values[:, None], known.astype(np.intp))


def _growth(window: Window, base: Floats, based: Mask) -> tuple[Floats, Mask]:
    """What counters counted from their base on; a series without a base from its first sample."""
    counts = window.counts
    known = counts + based > 1
    if not window.values.size:
        return np.zeros(len(counts)), np.zeros(len(counts), np.bool_)
    first, last = window.front()[1], window.back()[1]
    grown = last - first
    fell = window.values[:, 1:] < window.values[:, :-1]
    pairs = window.pairs()
    if pairs is not None:
        fell &= pairs
    if fell.any():
        rows = np.flatnonzero(fell.any(axis=1))
        grown[rows] += sums.total(np.where(fell[rows], window.values[rows, :-1], 0.0))
    grown += np.where(based, np.where(first < base, first, first - base), 0.0)
    return np.where(known & (counts > 0), grown, 0.0), known & (counts > 0)
