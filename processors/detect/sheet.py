"""What a detector knows of many series, in columns: a step writes the columns it changed, whole.

Where an instant touches every series once (a ring of values, sums by period), columns are what is
small: one number a series. `table` is the other way round, for what changes a few series at a time.
"""

import heapq
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from weakref import WeakKeyDictionary

import numpy as np
import ormsgpack

from processors.promql.columns import Floats, Rows, SeriesSet, Times
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels
from processors.promql.vector import Vector

HOUR = 3_600_000
LABEL_BYTES = 8_000
ROWS_A_PART = 64
"""Rows whose labels are kept together: half a megabyte at the most."""
CLOCK, SERIES = "clock", "series/"
_HEAD = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class Layout:
    """A block of columns: `width` of them, each of `fields` numbers a series.

    `chunk` columns are written together; `fill` is what is known of a series that is new.
    """

    name: str
    width: int = 1
    fields: int = 1
    chunk: int = 1
    fill: float = 0.0


class Block:
    """The columns of a layout: values[column, field, row], and a stamp for each column."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.values: Floats = np.full((layout.width, layout.fields, 0), layout.fill)
        self.stamps: Times = np.full(layout.width, -1, np.int64)
        self._changed: set[int] = set()

    def touch(self, column: int = 0) -> None:
        """A column has changed and is to be kept."""
        self._changed.add(column // self.layout.chunk)

    def clear(self, column: int, stamp: int) -> Floats:
        """Begin a column anew; its [field, row]."""
        self.stamps[column] = stamp
        fresh: Floats = self.values[column]
        fresh[:] = self.layout.fill
        return fresh

    def grow(self, capacity: int) -> None:
        """Make room for rows."""
        wider = np.full((*self.values.shape[:2], capacity), self.layout.fill)
        wider[:, :, : self.values.shape[2]] = self.values
        self.values = wider

    def forget(self, row: int) -> None:
        """Nothing is known of this row; a reader of rings knows by when the row began."""
        self.values[:, :, row] = self.layout.fill
        if self.layout.width == 1:
            self.touch()

    def changes(self, size: int, at: int) -> dict[str, bytes]:
        """The changed chunks, of the first `size` rows, as known at an instant."""
        chunk = self.layout.chunk
        found = {}
        for number in sorted(self._changed):
            part = slice(number * chunk, (number + 1) * chunk)
            head = _HEAD.pack(at, size) + self.stamps[part].tobytes()
            values = np.ascontiguousarray(self.values[part, :, :size])
            found[f"{self.layout.name}/{number}"] = head + values.tobytes()
        self._changed.clear()
        return found

    def restore(self, number: int, kept: bytes, born: Times) -> None:
        """Take a chunk back; of rows that began later it says nothing."""
        written, size = _HEAD.unpack_from(kept)
        part = slice(number * self.layout.chunk, (number + 1) * self.layout.chunk)
        stamps, here = self.stamps[part], self.values[part]
        data = np.frombuffer(kept, "<i8", offset=_HEAD.size)
        shape = (len(stamps), self.layout.fields, size)
        if len(data) != len(stamps) * (1 + self.layout.fields * size):
            return  # of another layout
        stamps[:] = data[: len(stamps)]
        size = min(size, here.shape[2])
        here[:, :, :size] = data[len(stamps) :].view("<f8").reshape(shape)[:, :, :size]
        here[:, :, born > written] = self.layout.fill


class Sheet:
    """Blocks over rows of series; what is kept of it is the same after any cut.

    More series than `limit` fail the evaluation; one that was not seen for `forget` ms gives up
    its row.
    """

    def __init__(
        self, layouts: Sequence[Layout], kept: Mapping[str, bytes], limit: int, forget: int
    ) -> None:
        self._blocks = {each.name: Block(each) for each in (*layouts, Layout("seen"))}
        self.limit, self._forget = limit, -(-forget // HOUR)
        self.labels: list[Labels | None] = []
        self._index: dict[Labels, int] = {}
        self.born: Times = np.zeros(0, np.int64)
        self._free: list[int] = []
        self._rows: WeakKeyDictionary[SeriesSet, Rows] = WeakKeyDictionary()
        self._changed: set[int] = set()
        self._swept = -1
        self.reused = 0
        self._at = 0
        self.clock: int | None = None
        self._kept_clock: int | None = None
        self._restore(kept)

    def __getitem__(self, name: str) -> Block:
        return self._blocks[name]

    def __len__(self) -> int:
        return len(self._index)

    @property
    def capacity(self) -> int:
        """Rows that there is room for: the length of a column in memory."""
        return len(self.born)

    def of(self, row: int) -> Labels:
        """Whose row it is."""
        labels = self.labels[row]
        assert labels is not None
        return labels

    def seen_since(self, at: int) -> Rows:
        """The rows that were seen in the hour of an instant (ms) or later, in label order."""
        seen, hour = self["seen"].values[0, 0], at // HOUR
        rows = [self._index[labels] for labels in sorted(self._index)]
        return np.array([row for row in rows if seen[row] >= hour], np.intp)

    def begin(self, at: int) -> None:
        """An instant (ms) begins: once an hour the rows of forgotten series become free."""
        self._at = at
        hour = at // HOUR
        if hour == self._swept:
            return
        self._swept = hour
        seen = self["seen"].values[0, 0]
        gone = [row for row in self._index.values() if seen[row] < hour - self._forget]
        for row in gone:
            del self._index[self.of(row)]
            self.labels[row] = None
            heapq.heappush(self._free, row)
            self._changed.add(row // ROWS_A_PART)
        if gone:
            self._rows.clear()

    def rows(self, vector: Vector) -> tuple[Rows, Rows]:
        """Of the present series of a vector: where they are in it, and their rows here."""
        known = self._rows.get(vector.series)
        if known is None:
            found = (self._index.get(labels, -1) for labels in vector.series.labels)
            known = np.fromiter(found, np.intp, len(vector.series))
            self._rows[vector.series] = known
        here = np.flatnonzero(vector.present)
        new = here[known[here] < 0]
        if new.size:
            labels = vector.series.labels
            self._add(sorted({labels[place] for place in new}))
            known[new] = [self._index[labels[place]] for place in new]
        rows = known[here]
        self._see(rows)
        return here, rows

    def changes(self) -> dict[str, bytes | None]:
        """What is to be kept since the last call."""
        found: dict[str, bytes | None] = {}
        for part in sorted(self._changed):
            found[f"{SERIES}{part}"] = self._part(part)
        self._changed.clear()
        for block in self._blocks.values():
            found.update(block.changes(len(self.labels), self._at))
        if self.clock is not None and self.clock != self._kept_clock:
            self._kept_clock = self.clock
            found[CLOCK] = struct.pack("<q", self.clock)
        return found

    def _see(self, rows: Rows) -> None:
        hour = self._at // HOUR
        seen = self["seen"].values[0, 0]
        if (seen[rows] != hour).any():
            seen[rows] = hour
            self["seen"].touch()

    def _add(self, new: Sequence[Labels]) -> None:
        if len(self._index) + len(new) > self.limit:
            raise EvaluationFailed(
                f"more than {self.limit} series: raise max_series, or select fewer"
            )
        for labels in new:
            if sum(len(name.encode()) + len(value.encode()) for name, value in labels) > (
                LABEL_BYTES
            ):
                raise EvaluationFailed(f"a series has more than {LABEL_BYTES} bytes of labels")
        for labels in new:
            if self._free:
                row = heapq.heappop(self._free)
                self.reused += 1
                for block in self._blocks.values():
                    block.forget(row)
            else:
                row = len(self.labels)
                self.labels.append(None)
                self._reserve(row + 1)
            self._put(labels, row, self._at)
            self._changed.add(row // ROWS_A_PART)

    def _put(self, labels: Labels, row: int, born: int) -> None:
        self.labels[row], self._index[labels], self.born[row] = labels, row, born

    def _reserve(self, size: int) -> None:
        if size <= self.capacity:
            return
        capacity = max(16, size, 2 * self.capacity)
        self.born = np.concatenate((self.born, np.zeros(capacity - self.capacity, np.int64)))
        for block in self._blocks.values():
            block.grow(capacity)

    def _part(self, number: int) -> bytes | None:
        first = number * ROWS_A_PART
        listed = [
            (first + i, int(self.born[first + i]), labels)
            for i, labels in enumerate(self.labels[first : first + ROWS_A_PART])
            if labels is not None
        ]
        return ormsgpack.packb(listed) if listed else None

    def _restore(self, kept: Mapping[str, bytes]) -> None:
        for key, packed in kept.items():
            if key.startswith(SERIES):
                for row, born, pairs in ormsgpack.unpackb(packed):
                    if row >= len(self.labels):
                        self.labels += [None] * (row + 1 - len(self.labels))
                        self._reserve(row + 1)
                    self._put(tuple((name, value) for name, value in pairs), row, born)
        self._free = [row for row, labels in enumerate(self.labels) if labels is None]
        if CLOCK in kept:
            (self.clock,) = (self._kept_clock,) = struct.unpack("<q", kept[CLOCK])
        for key, packed in kept.items():
            name, _, number = key.rpartition("/")
            if name in self._blocks:
                self._blocks[name].restore(int(number), packed, self.born)


def empty(sheet: Sheet) -> Floats:
    """A column of NaN, as long as those of the sheet."""
    return np.full(sheet.capacity, nan)
