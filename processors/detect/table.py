"""What a detector has learned, by label set: a row of numbers each, kept in chunks."""

import zlib
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np
import ormsgpack
from numpy.typing import NDArray

from processors.promql.columns import Rows, SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels

CHUNK = 256
"""Rows under one key of the checkpoint: what is written when one of them changes."""
Numbers = NDArray[np.float64]


class Table:
    """Rows of numbers by label set; `fields` name the columns and how wide each is."""

    def __init__(
        self, fields: Mapping[str, int], most: int, kept: Mapping[str, bytes] | None = None
    ) -> None:
        self._fields = dict(fields)
        self._most = most
        self._row: dict[Labels, int] = {}
        self._labels: list[Labels | None] = []
        self._free: list[int] = []
        self._numbers = {name: np.zeros((0, width)) for name, width in fields.items()}
        self._known: WeakKeyDictionary[SeriesSet, Rows] = WeakKeyDictionary()
        self._dirty: set[int] = set()
        for key, value in sorted((kept or {}).items(), key=lambda item: int(item[0])):
            self._restore(int(key), value)

    def __len__(self) -> int:
        return len(self._row)

    def __getitem__(self, field: str) -> Numbers:
        """A field of all rows: (rows, width). Say `touch` after it was written to."""
        return self._numbers[field]

    def rows(self, series: SeriesSet) -> Rows:
        """The row of each series; new ones begin with zeros. Raises EvaluationFailed when full."""
        known = self._known.get(series)
        if known is None:
            found = [self.row(labels) for labels in series.labels]
            known = self._known[series] = np.array(found, np.intp)
        return known

    def row(self, labels: Labels) -> int:
        """The row of a label set."""
        found = self._row.get(labels)
        if found is not None:
            return found
        if len(self._row) >= self._most:
            raise EvaluationFailed(f"more than {self._most} series: narrow the expression")
        number = self._free.pop() if self._free else len(self._labels)
        self._put(number, labels)
        return number

    def labels(self, row: int) -> Labels:
        """Whose row it is."""
        found = self._labels[row]
        assert found is not None
        return found

    def held(self) -> Rows:
        """All rows that are in use, in order of labels."""
        return np.array([self._row[labels] for labels in sorted(self._row)], np.intp)

    def touch(self, rows: Rows) -> None:
        """These rows have changed in a way that must outlive the process."""
        self._dirty.update(np.unique(rows // CHUNK).tolist())

    def drop(self, rows: Rows) -> None:
        """Forget these rows."""
        if not len(rows):
            return
        self.touch(rows)
        for row in rows.tolist():
            del self._row[self.labels(row)]
            self._labels[row] = None
            self._free.append(row)
            for numbers in self._numbers.values():
                numbers[row] = 0.0
        self._known.clear()

    def changes(self) -> Mapping[str, bytes | None]:
        """The chunks that were touched since the last call, to be kept."""
        dirty, self._dirty = sorted(self._dirty), set()
        return {str(chunk): self._packed(chunk) for chunk in dirty}

    def _put(self, number: int, labels: Labels) -> None:
        while number >= len(self._labels):
            self._free += range(len(self._labels), number)
            self._labels += [None] * (number + 1 - len(self._labels))
        self._row[labels] = number
        self._labels[number] = labels
        if number >= len(next(iter(self._numbers.values()))):
            more = max(CHUNK, number)
            self._numbers = {
                name: np.pad(numbers, ((0, more), (0, 0)))
                for name, numbers in self._numbers.items()
            }

    def _packed(self, chunk: int) -> bytes | None:
        span = range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(self._labels)))
        rows = [row for row in span if self._labels[row] is not None]
        if not rows:
            return None
        numbers = [self._numbers[name][rows].astype("<f8").tobytes() for name in self._fields]
        return zlib.compress(
            ormsgpack.packb([rows, [self._labels[row] for row in rows], numbers]), 1
        )

    def _restore(self, chunk: int, value: bytes) -> None:
        rows, labels, numbers = ormsgpack.unpackb(zlib.decompress(value))
        for row, pairs in zip(rows, labels, strict=True):
            self._put(row, tuple((name, text) for name, text in pairs))
        self._free = [row for row in self._free if self._labels[row] is None]
        for (name, width), raw in zip(self._fields.items(), numbers, strict=True):
            self._numbers[name][rows] = np.frombuffer(raw, "<f8").reshape(len(rows), width)
