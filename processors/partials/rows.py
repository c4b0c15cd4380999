"""Which row of a table a series has. Numbers stay, for cells in the checkpoint are known by them.

A row without anything within reach is given to the next new series.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql.columns import Rows, SeriesSet
from processors.promql.labels import Labels
from processors.promql.selector import Selector

CHUNK = 256
"""Rows whose labels are checkpointed together."""
NEVER = -1
NOWHERE = 2**40
"""The row of a series that has no cell yet: beyond those of any block."""
_UNASKED = -2


class Budget:
    """Bytes that all tables may come to once they are full; series beyond are refused."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.refused = 0

    def take(self, size: int) -> bool:
        """Whether there is room for a series of that size."""
        if self.used + size > self.limit:
            self.refused += 1
            return False
        self.used += size
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Series of a selector in label order, their rows, and where a source has them (−1: not)."""

    series: SeriesSet
    rows: Rows
    sources: Rows

    @property
    def same(self) -> bool:
        """Whether the source has just these series, in this order."""
        return len(self.sources) == 0 or bool((self.sources == np.arange(len(self.sources))).all())


class TableRows:
    """Rows by labels; `last` is the newest cell in which each has something."""

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget, self._size = budget, size
        self.labels: list[Labels | None] = []
        self.last = np.zeros(0, np.int64)
        self._of: dict[Labels, int] = {}
        self._free: list[int] = []
        self._turned_away: set[Labels] = set()
        self._rows: WeakKeyDictionary[SeriesSet, Rows] = WeakKeyDictionary()
        self._aligned: dict[Selector, WeakKeyDictionary[SeriesSet, Aligned]] = {}
        self.dirty: set[int] = set()

    def __len__(self) -> int:
        return len(self.labels)

    def restore(self, chunks: Mapping[int, Sequence[Labels | None]]) -> None:
        """Take the labels of a checkpoint."""
        for number in range(max(chunks, default=-1) + 1):
            self.labels += chunks.get(number, [None] * CHUNK)
        self.last = np.full(len(self.labels), NEVER, np.int64)
        for row, labels in enumerate(self.labels):
            if labels is None:
                heapq.heappush(self._free, row)
            else:
                self._of[labels] = row
        self._budget.used += len(self._of) * self._size

    def of(self, series: SeriesSet, some: Rows) -> Rows:
        """The rows of some of these series, new ones if need be; −1 where one is refused."""
        known = self._rows.get(series)
        if known is None:
            known = self._rows[series] = np.full(len(series), _UNASKED, np.intp)
        for at in some[known[some] == _UNASKED].tolist():
            known[at] = self._row(series.labels[at])
        return known[some]

    def resized(self, size: int) -> None:
        """A series takes another number of bytes from now on."""
        self._budget.used += len(self._of) * (size - self._size)
        self._size = size

    def _row(self, labels: Labels) -> int:
        row = self._of.get(labels)
        if row is not None:
            return row
        if labels in self._turned_away or not self._budget.take(self._size):
            self._turned_away.add(labels)
            self._aligned.clear()
            return -1
        if self._free:
            row = heapq.heappop(self._free)
            self.labels[row] = labels
        else:
            row = len(self.labels)
            self.labels.append(labels)
            if row >= len(self.last):
                more = np.full(max(64, row), NEVER, np.int64)
                self.last = np.concatenate([self.last, more])
        self.last[row] = NEVER
        self._of[labels] = row
        self.dirty.add(row // CHUNK)
        self._aligned.clear()
        return row

    def align(self, selector: Selector, series: SeriesSet) -> Aligned:
        """What a selector reads: the source's series, and those that only cells know."""
        known = self._aligned.setdefault(selector, WeakKeyDictionary())
        found = known.get(series)
        if found is None:
            found = known[series] = self._align(selector, series)
        return found

    def _align(self, selector: Selector, series: SeriesSet) -> Aligned:
        here = set(series.labels)
        gone = [labels for labels in self._of if labels not in here and selector.matches(labels)]
        turned = self._turned_away
        served = [labels for labels in series.labels if labels not in turned] if turned else here
        wanted = sorted([*served, *gone])
        rows = np.array([self._of.get(labels, NOWHERE) for labels in wanted], np.intp)
        if len(wanted) == len(series) and not gone and _ascending(series.labels):
            return Aligned(series, rows, np.arange(len(rows)))
        place = {labels: at for at, labels in enumerate(series.labels)}
        sources = np.array([place.get(labels, -1) for labels in wanted], np.intp)
        return Aligned(SeriesSet(tuple(wanted)), rows, sources)

    def free(self, oldest: int) -> None:
        """Give away rows that have nothing from cell `oldest` on."""
        for row in np.flatnonzero(self.last[: len(self.labels)] < oldest).tolist():
            labels = self.labels[row]
            if labels is not None:
                del self._of[labels]
                self.labels[row] = None
                heapq.heappush(self._free, row)
                self._budget.used -= self._size
                self.dirty.add(row // CHUNK)
        self._rows.clear()
        self._aligned.clear()
        self._turned_away.clear()

    def gone(self) -> None:
        """Return what was taken from the budget."""
        self._budget.used -= len(self._of) * self._size


def _ascending(labels: Sequence[Labels]) -> bool:
    return all(one < other for one, other in pairwise(labels))
