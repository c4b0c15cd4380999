"""The raw windows: recent samples of the series that rules select, as columns.

Samples wait in a list and move into the matrices when somebody looks, so that a small batch costs
no more per sample than a large one. When that happens changes nothing that can be seen.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from processors.limits import LIMITS, Admission, Limits
from processors.promql.columns import Columns, Floats, Rows, SeriesSet, Times
from processors.promql.labels import Labels
from processors.promql.plan import SelectorUse
from processors.promql.selector import Selector
from processors.ring import Ring, wider
from schemas.errors import Reason, Undecodable
from schemas.metrics import MetricBatch
from schemas.series import unpack_series

BLOCKS = 20_000
"""How many series blocks are remembered; a fleet has about one an agent."""
PENDING = 65_536
_EMPTY = Columns(SeriesSet(()), np.zeros((0, 0), np.int64), np.zeros((0, 0)), np.zeros(0, np.intp))


@dataclass(frozen=True, slots=True)
class _Block:
    """Of the series of a block: how many, which ones are selected, and their ids."""

    size: int
    at: Rows
    ids: Rows
    whole: bool


class Windows:
    """A `promql` source over the newest samples of the selected series."""

    def __init__(self, uses: Iterable[SelectorUse], limits: Limits = LIMITS) -> None:
        self._by_metric: dict[str, list[SelectorUse]] = {}
        self._any_metric: list[SelectorUse] = []
        for use in uses:
            name = use.selector.metric
            listed = self._any_metric if name is None else self._by_metric.setdefault(name, [])
            listed.append(use)
        self._admission = Admission(limits)
        self._rings: dict[str, Ring] = {}
        self._ring_list: list[Ring] = []
        self._ring_number: dict[str, int] = {}
        self._ids: dict[Labels, int] = {}
        self._ring_of = np.zeros(1_024, np.intp)
        self._row_of = np.zeros(1_024, np.intp)
        self._blocks: OrderedDict[bytes, _Block] = OrderedDict()
        self._pending: list[tuple[Rows, Times, Floats]] = []
        self._pending_count = 0
        self._selected: dict[Selector, tuple[SeriesSet, list[tuple[Ring, Rows | None]]]] = {}
        self._gathered: dict[Selector, Columns] = {}
        self._now = 0
        self._swept = 0
        self.repeats = 0

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def nbytes(self) -> int:
        """Bytes of all matrices."""
        return sum(ring.nbytes for ring in self._ring_list)

    def add(self, batch: MetricBatch, times: Times, now: int) -> int:
        """Take a batch; `times` (ms) may be corrected ones. How many samples are selected.

        Raises `Undecodable` when block and columns do not fit together.
        """
        block = self._block(batch)
        values: Floats = np.frombuffer(batch.values, "<f8")
        if batch.index:
            index = np.frombuffer(batch.index, "<u4")
            if index.max(initial=0) >= block.size:
                raise Undecodable(Reason.INVALID_COLUMNS, "index points behind the last series")
            id_of = np.full(block.size, -1, np.intp)
            id_of[block.at] = block.ids
            ids = id_of[index]
            chosen = np.flatnonzero(ids >= 0)
            ids, values = ids[chosen], values[chosen]
            times = times if len(times) == 1 else times[chosen]
        else:
            if len(values) != block.size:
                raise Undecodable(
                    Reason.INVALID_COLUMNS, f"{len(values)} values for {block.size} series"
                )
            ids = block.ids
            if not block.whole:
                values = values[block.at]
                times = times if len(times) == 1 else times[block.at]
        self._take(ids, times, values, now)
        return len(ids)

    def dropped(self) -> dict[str, int]:
        """What was not taken since the last call, by reason."""
        repeats, self.repeats = self.repeats, 0
        return self._admission.refused() | ({"repeated sample": repeats} if repeats else {})

    def only(self, batch: MetricBatch, chosen: Rows, times: Times, now: int) -> int:
        """Take these samples of a batch, `times` being theirs."""
        if not batch.index and batch.count != (size := self._block(batch).size):
            raise Undecodable(Reason.INVALID_COLUMNS, f"{batch.count} values for {size} series")
        index = np.frombuffer(batch.index, "<u4") if batch.index else np.arange(batch.count)
        narrowed = batch.model_copy(
            update={
                "index": index[chosen].astype("<u4").tobytes(),
                "values": np.frombuffer(batch.values, "<f8")[chosen].tobytes(),
            }
        )
        return self.add(narrowed, times, now) if len(chosen) else 0

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """The samples of the series that match, and possibly older ones; in label order."""
        self._flush()
        if selector in self._gathered:
            return self._gathered[selector]
        series, parts = self._parts(selector)
        if len(parts) == 1 and parts[0][1] is None:
            columns = parts[0][0].columns()
        else:
            columns = _gather(series, parts)
        self._gathered[selector] = columns
        return columns

    def _take(self, ids: Rows, times: Times, values: Floats, now: int) -> None:
        self._now = max(self._now, now)
        if len(ids):
            self._pending.append((ids, times, values))
            self._pending_count += len(ids)
            if self._pending_count >= PENDING:
                self._flush()

    def _block(self, batch: MetricBatch) -> _Block:
        block = self._blocks.get(batch.series)
        if block is None:
            series = unpack_series(batch.series)
            numbers = np.array([self._id(labels) for labels in series], np.intp)
            at = np.flatnonzero(numbers >= 0)
            block = _Block(len(series), at, numbers[at], len(at) == len(series))
            self._blocks[batch.series] = block
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(batch.series)
        return block

    def _id(self, labels: Labels) -> int:
        """The number of a series that some rule selects, else −1."""
        number = self._ids.get(labels)
        if number is not None:
            return number
        name = dict(labels).get("__name__", "")
        uses = [
            use
            for use in (*self._by_metric.get(name, ()), *self._any_metric)
            if use.selector.matches(labels)
        ]
        if not uses:
            return -1
        if not self._admission.admits(name, dict(labels).get("instance", "")):
            return -1
        reach = max(use.reach_ms for use in uses)
        if name not in self._rings:
            self._rings[name] = Ring(reach)
            self._ring_number[name] = len(self._ring_list)
            self._ring_list.append(self._rings[name])
        ring = self._rings[name]
        ring.reach = max(ring.reach, reach)
        number = len(self._ids)
        if number >= len(self._ring_of):
            self._ring_of = np.concatenate([self._ring_of, np.zeros_like(self._ring_of)])
            self._row_of = np.concatenate([self._row_of, np.zeros_like(self._row_of)])
        self._ids[labels] = number
        self._ring_of[number] = self._ring_number[name]
        self._row_of[number] = ring.add_series(labels)
        self._selected.clear()
        self._gathered.clear()
        return number

    def _flush(self) -> None:
        """Move what waits into the matrices."""
        if not self._pending:
            return
        ids = np.concatenate([part[0] for part in self._pending])
        times = np.concatenate(
            [
                part[1] if len(part[1]) == len(part[0]) else np.repeat(part[1], len(part[0]))
                for part in self._pending
            ]
        )
        values = np.concatenate([part[2] for part in self._pending])
        self._pending.clear()
        self._pending_count = 0
        self._gathered.clear()
        rings = self._ring_of[ids]
        rows = self._row_of[ids]
        order = np.lexsort((rows, rings))
        rings = rings[order]
        bounds = np.flatnonzero(np.concatenate(([True], rings[1:] != rings[:-1], [True])))
        rows, times, values = rows[order], times[order], values[order]
        for start, end in pairwise(bounds):
            ring = self._ring_list[rings[start]]
            self.repeats += ring.insert(
                rows[start:end], times[start:end], values[start:end], self._now
            )
        self._sweep()

    def _parts(self, selector: Selector) -> tuple[SeriesSet, list[tuple[Ring, Rows | None]]]:
        found = self._selected.get(selector)
        if found is None:
            found = self._selected[selector] = self._find(selector)
        return found

    def _find(self, selector: Selector) -> tuple[SeriesSet, list[tuple[Ring, Rows | None]]]:
        names = [selector.metric] if selector.metric is not None else sorted(self._rings)
        labels: list[Labels] = []
        parts: list[tuple[Ring, Rows | None]] = []
        for name in names:
            ring = self._rings.get(name)
            if ring is None:
                continue
            self._sorted(name, ring)
            rows = [row for row, labels in enumerate(ring.labels) if selector.matches(labels)]
            if len(rows) == len(ring):
                parts.append((ring, None))
                labels += ring.labels
            elif rows:
                parts.append((ring, np.array(rows, np.intp)))
                labels += [ring.labels[row] for row in rows]
        if len(parts) == 1 and parts[0][1] is None:
            return parts[0][0].columns().series, parts
        return SeriesSet(tuple(labels)), parts

    def _sorted(self, name: str, ring: Ring) -> None:
        moved = ring.sort()
        if moved is not None:
            mine = np.flatnonzero(self._ring_of[: len(self._ids)] == self._ring_number[name])
            self._row_of[mine] = moved[self._row_of[mine]]

    def _sweep(self) -> None:
        """Forget series that have had nothing within reach, once they are a quarter of all."""
        if self._now - self._swept < 60_000:
            return
        self._swept = self._now
        keeps = {
            name: ring.last_times() > self._now - ring.reach for name, ring in self._rings.items()
        }
        dead = sum(int((~keep).sum()) for keep in keeps.values())
        if dead * 4 < len(self._ids) or dead < 64:
            return
        for ring in self._ring_list:
            ring.sort()
            ring.drop(ring.last_times() > self._now - ring.reach)
        self._number_again()

    def _number_again(self) -> None:
        self._ids = {}
        self._admission.begin_again()
        for name, ring in self._rings.items():
            for row, labels in enumerate(ring.labels):
                self._admission.admits(name, dict(labels).get("instance", ""))
                number = len(self._ids)
                self._ids[labels] = number
                self._ring_of[number] = self._ring_number[name]
                self._row_of[number] = row
        self._blocks.clear()
        self._selected.clear()
        self._gathered.clear()


def _gather(series: SeriesSet, parts: Sequence[tuple[Ring, Rows | None]]) -> Columns:
    if not parts:
        return _EMPTY
    pieces = []
    for ring, rows in parts:
        columns = ring.columns()
        if rows is None:
            pieces.append((columns.times, columns.values, columns.counts))
        else:
            pieces.append((columns.times[rows], columns.values[rows], columns.counts[rows]))
    if len(pieces) == 1:
        return Columns(series, *pieces[0])
    width = max(times.shape[1] for times, _, _ in pieces)
    return Columns(
        series,
        np.concatenate([wider(times, width) for times, _, _ in pieces]),
        np.concatenate([wider(values, width) for _, values, _ in pieces]),
        np.concatenate([counts for _, _, counts in pieces]),
    )
