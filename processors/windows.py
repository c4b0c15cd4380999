"""The raw windows: recent samples of the series that rules select, as columns.

Samples wait in a list and move into the matrices when somebody looks, so that a small batch costs
no more per sample than a large one. When that happens changes nothing that can be seen.
"""

from collections import OrderedDict
from collections.abc import Container, Iterable
from dataclasses import dataclass

import numpy as np

from processors.block_cache import BlockCache
from processors.limits import LIMITS, Admission, Limits
from processors.partials.store import Partials
from processors.promql.columns import Columns, Floats, Rows, Times
from processors.promql.labels import METRIC_NAME, Labels, get
from processors.promql.plan import SelectorUse
from processors.promql.selector import Selector
from processors.sample_store import SampleStore, StoreReader
from processors.selection import Selection
from processors.selector_table import SelectorTable
from processors.series_index import Located, SeriesIndex
from schemas.errors import Reason, Undecodable
from schemas.metrics import MetricBatch
from schemas.series import unpack_series

PENDING = 65_536
NEWS = 512
"""Bytes of one instance's news in a block, about."""
INSTANCES = 20_000
"""How many instances' own selections are remembered."""
REACHES = tuple(minutes * 60_000 for minutes in (5, 10, 15, 20, 30, 45, 60, 90, 120))
"""How far back series are kept is rounded up to one of these, so that few matrices hold all."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Of the series of a block: how many, which ones are selected, and their numbers."""

    size: int
    at: Rows
    ids: Rows
    whole: bool
    news: tuple[tuple[str, frozenset[str]], ...]


class Windows:
    """A `promql` source over the newest samples of the selected series."""

    def __init__(
        self,
        uses: Iterable[SelectorUse],
        limits: Limits = LIMITS,
        arriving: Container[str] = frozenset(),
    ) -> None:
        self._uses = SelectorTable(uses)
        self._admission = Admission(limits)
        self._store = SampleStore()
        self._ids: dict[Labels, int] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._of_instance: dict[str, list[tuple[Labels, int]]] = {}
        self._index = SeriesIndex()
        self._indexes: dict[str, SeriesIndex] = {}
        self._within: OrderedDict[str, Selection] = OrderedDict()
        self.all = Selection(self)
        """What `select` answers from."""
        self.partials: Partials | None = None
        """What is known of longer ago, where whoever holds these windows keeps it."""
        self._arriving = arriving
        self.news: dict[str, frozenset[str]] = {}
        """Instances with samples since somebody cleared it, and of which `arriving` metrics."""
        self._blocks: BlockCache[_Block] = BlockCache()
        self._pending: list[tuple[Rows, Times, Floats]] = []
        self._pending_count = 0
        self._now = 0
        self._swept = 0
        self.changes = 0
        """Changes whenever samples moved into the matrices."""
        self.sweeps = 0
        """Changes whenever series were forgotten: the others have new numbers."""
        self.repeats = 0

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def nbytes(self) -> int:
        """Bytes of all matrices."""
        return self._store.nbytes

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
        if len(ids):
            for instance, metrics in block.news:
                self.news[instance] = self.news.get(instance, metrics) | metrics
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
        """At least the samples in (start, end] of the series that match; in label order."""
        return self.all.select(selector, start, end)

    @property
    def generation(self) -> tuple[int, int]:
        """Changes whenever a series joins, or is forgotten."""
        return self.all.generation

    def locate(self, selector: Selector) -> Located:
        """The series that match, in label order, and their numbers in the store."""
        return self.all.locate(selector)

    def reader(self, numbers: Rows) -> StoreReader:
        """The samples of these series; good while the generation is the same."""
        return self.all.reader(numbers)

    def within(self, instance: str) -> Selection:
        """The source that sees the series of one instance, by its label, and no others."""
        known = self._within.get(instance)
        if known is None:
            known = self._within[instance] = Selection(self, instance)
            if len(self._within) > INSTANCES:
                gone, _ = self._within.popitem(last=False)
                self._indexes.pop(gone, None)
        else:
            self._within.move_to_end(instance)
        return known

    def index(self, instance: str | None) -> SeriesIndex:
        """The series by their labels: all of them, or one instance's."""
        if instance is None:
            return self._index
        index = self._indexes.get(instance)
        if index is None:
            index = self._indexes[instance] = SeriesIndex(self._of_instance.get(instance, ()))
        return index

    def flushed(self) -> SampleStore:
        """The matrices, once everything that was taken is in them."""
        self._flush()
        return self._store

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
            news = self._news(series[row] for row in at)
            block = _Block(len(series), at, numbers[at], len(at) == len(series), news)
            self._blocks.put(batch.series, block, at.nbytes + block.ids.nbytes + NEWS * len(news))
        return block

    def _news(self, series: Iterable[Labels]) -> tuple[tuple[str, frozenset[str]], ...]:
        """Which of the arriving metrics each instance of a block has."""
        found: dict[str, set[str]] = {}
        for labels in series:
            name, instance = get(labels, METRIC_NAME), get(labels, "instance")
            if instance and name in self._arriving:
                found.setdefault(instance, set()).add(name)
        return tuple((instance, frozenset(metrics)) for instance, metrics in found.items())

    def _id(self, labels: Labels) -> int:
        """The number of a series that some rule selects, else −1."""
        number = self._ids.get(labels)
        if number is not None:
            return number
        uses = self._uses.of(labels)
        if not uses:
            return -1
        if not self._admission.admits(get(labels, METRIC_NAME), get(labels, "instance")):
            return -1
        number = self._store.add_series(_rounded(max(use.reach_ms for use in uses)))
        # Fleets repeat themselves: a label and its value are one object for all who have them.
        self._hold(tuple(self._pairs.setdefault(pair, pair) for pair in labels), number)
        return number

    def _hold(self, labels: Labels, number: int) -> None:
        instance = get(labels, "instance")
        entry = (labels, number)
        self._ids[labels] = number
        self._of_instance.setdefault(instance, []).append(entry)
        self._index.add(entry)
        if instance in self._indexes:
            self._indexes[instance].add(entry)

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
        self.changes += 1
        self.repeats += self._store.insert(ids, times, values, self._now)
        self._sweep()

    def _sweep(self) -> None:
        """Forget series that have had nothing within reach, once they are a quarter of all."""
        if self._now - self._swept < 60_000:
            return
        self._swept = self._now
        alive = self._store.alive(self._now)
        dead = sum(int((~some).sum()) for some in alive)
        if dead * 4 < len(self._ids) or dead < 64:
            return
        moved = self._store.drop(alive)
        known, self._ids, self._of_instance = self._ids, {}, {}
        self._pairs = {pair: pair for labels in known for pair in labels}
        self._index, self._indexes = SeriesIndex(), {}
        self.sweeps += 1
        self._blocks.clear()
        self._admission.begin_again()
        for labels, old in known.items():
            number = int(moved[old])
            if number >= 0:
                named = dict(labels)
                self._admission.admits(named.get("__name__", ""), named.get("instance", ""))
                self._hold(labels, number)


def _rounded(reach: int) -> int:
    return next((each for each in REACHES if each >= reach), reach)
