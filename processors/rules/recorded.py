"""A source with what the rules of this instant have recorded, so that later rules see it."""

import numpy as np

from processors.promql.columns import Columns, SeriesSet, Source
from processors.promql.labels import Labels
from processors.promql.selector import Selector


class Recorded:
    """Adds recorded samples to what a source selects; costs nothing where none is selected."""

    def __init__(self, source: Source, at: int) -> None:
        self._source, self._at = source, at
        self._samples: list[tuple[Labels, float]] = []
        self._selected: dict[tuple[Selector, int, int], Columns] = {}

    @property
    def samples(self) -> tuple[tuple[Labels, float], ...]:
        """Everything recorded at this instant."""
        return tuple(self._samples)

    def add(self, samples: list[tuple[Labels, float]]) -> None:
        """Records samples at this instant."""
        if samples:
            self._samples.extend(samples)
            self._selected.clear()

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """What the source selects, asked once for all rules, and what was recorded."""
        asked = (selector, start, end)
        known = self._selected.get(asked)
        if known is None:
            known = self._source.select(selector, start, end)
            ours = [each for each in self._samples if selector.matches(each[0])]
            known = self._selected[asked] = _joined(known, dict(ours), self._at) if ours else known
        return known


def _joined(columns: Columns, ours: dict[Labels, float], at: int) -> Columns:
    held = [
        (row, ours.pop(labels))
        for row, labels in enumerate(columns.series.labels)
        if labels in ours
    ]
    size, width = columns.times.shape
    shape = (size + len(ours), width + 1)
    times, values = np.zeros(shape, np.int64), np.zeros(shape)
    times[:size, :width], values[:size, :width] = columns.times, columns.values
    counts = np.concatenate((columns.counts, np.zeros(len(ours), dtype=np.intp)))
    for row, value in [*held, *((size + i, value) for i, value in enumerate(ours.values()))]:
        times[row, counts[row]], values[row, counts[row]] = at, value
        counts[row] += 1
    return Columns(SeriesSet(columns.series.labels + tuple(ours)), times, values, counts)
