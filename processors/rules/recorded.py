"""A source with what the rules of this instant have recorded, so that later rules see it."""

from weakref import WeakKeyDictionary

import numpy as np

from processors.promql.columns import Columns, SeriesSet, Source
from processors.promql.labels import METRIC_NAME, Labels, get
from processors.promql.plan import Plan
from processors.promql.selector import Selector
from processors.promql.window import reached
from processors.rules.together import answering

# A set that was extended the same way last time stays the same object: label work hangs on it.
_rows: WeakKeyDictionary[SeriesSet, dict[Labels, int]] = WeakKeyDictionary()
_extended: WeakKeyDictionary[SeriesSet, SeriesSet] = WeakKeyDictionary()


class Recorded:
    """Adds recorded samples to what a source selects; costs nothing where none is selected."""

    def __init__(self, source: Source, at: int) -> None:
        self._source, self._at = source, at
        self._answering = answering(source)
        self._samples: list[tuple[Labels, float]] = []
        self._names: set[str] = set()
        self._selected: dict[tuple[Selector, int, int], Columns] = {}

    @property
    def partials(self) -> object:
        """Those of the source, if it keeps any (`processors.partials`)."""
        return getattr(self._source, "partials", None)

    @property
    def samples(self) -> tuple[tuple[Labels, float], ...]:
        """Everything recorded at this instant."""
        return tuple(self._samples)

    def add(self, samples: list[tuple[Labels, float]]) -> None:
        """Records samples at this instant."""
        self._samples.extend(samples)
        self._names.update(get(labels, METRIC_NAME) for labels, _ in samples)

    def answer(self, plan: Plan, at: int) -> list[tuple[Labels, float]] | None:
        """What the source has for an answer, where nothing was recorded that the plan may read."""
        if self._answering is None:
            return None
        if self._names:
            for use in plan.selectors:
                name = use.selector.metric
                if name is None or name in self._names:
                    return None
        return self._answering.answer(plan, at)

    def idle(self, plan: Plan) -> bool:
        """Whether the plan is known to have no result at this instant."""
        return self.answer(plan, self._at) == []

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """What the source selects, asked once for all rules, and what was recorded."""
        asked = (selector, start, end)
        known = self._selected.get(asked)
        if known is None:
            known = self._selected[asked] = self._source.select(selector, start, end)
        if selector.metric is not None and selector.metric not in self._names:
            return known  # told by the name alone; a rule may record a thousand series
        ours = [each for each in self._samples if selector.matches(each[0])]
        return _joined(known, dict(ours), self._at) if ours else known


def _joined(columns: Columns, ours: dict[Labels, float], at: int) -> Columns:
    known = _index(columns.series)
    new = tuple(labels for labels in ours if labels not in known)
    series = _with(columns.series, new)
    place = {**known, **{labels: len(known) + i for i, labels in enumerate(new)}}
    size, width = columns.times.shape
    shape = (len(series), width + 1)
    times, values = np.zeros(shape, np.int64), np.zeros(shape)
    times[:size, :width], values[:size, :width] = columns.times, columns.values
    counts = np.zeros(len(series), dtype=np.intp)
    counts[:size] = reached(columns.times, columns.counts, at)
    rows = np.fromiter((place[labels] for labels in ours), np.intp, len(ours))
    times[rows, counts[rows]] = at
    values[rows, counts[rows]] = list(ours.values())
    counts[rows] += 1
    return Columns(series, times, values, counts)


def _index(series: SeriesSet) -> dict[Labels, int]:
    known = _rows.get(series)
    if known is None:
        known = _rows[series] = {labels: row for row, labels in enumerate(series.labels)}
    return known


def _with(series: SeriesSet, new: tuple[Labels, ...]) -> SeriesSet:
    if not new:
        return series
    last = _extended.get(series)
    if last is None or last.labels[len(series) :] != new:
        last = _extended[series] = SeriesSet(series.labels + new)
    return last
