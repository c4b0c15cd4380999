"""The partials of one stage: tables by metric and resolution, fed from raw windows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from processors.limits import LIMITS
from processors.partials import checkpoint
from processors.partials.answers import Span
from processors.partials.cells import Cells, merged
from processors.partials.checkpoint import Cell, Kept
from processors.partials.fields import Fields
from processors.partials.measure import measured
from processors.partials.rows import CHUNK, Aligned, Budget
from processors.partials.spans import LATENESS
from processors.partials.table import Table
from processors.promql.columns import Columns, SeriesSet, Source
from processors.promql.selector import Selector
from schemas.stage import StateChange

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class LongUse:
    """A selector of which cells are kept, which fields, and how far back (ms)."""

    selector: Selector
    resolution: int
    fields: Fields
    reach_ms: int

    @property
    def table(self) -> str:
        """The table that serves it; selectors without a metric's name share one."""
        return f"{self.resolution}/{self.selector.metric or ''}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is to be read: (start, end] as an evaluation at `at` asks for it, in ms.

    `whole`: both bounds are rounded down to whole cells. Else only the start is, and what came
    after the newest cell that is surely closed comes from raw samples.
    """

    start: int
    end: int
    at: int
    whole: bool


class Partials:
    """Closes cells as time goes on, answers for spans of them, and says what to checkpoint."""

    def __init__(self) -> None:
        self._kept = Kept()
        self._tables: dict[str, Table] = {}
        self._budget = Budget(LIMITS.partial_bytes)
        self._fresh: set[str] = set()
        self._dirty: set[Cell] = set()
        self._chunks: dict[Cell, set[int]] = {}
        self._removed: list[StateChange] = []
        self._moved = False

    @property
    def fresh(self) -> bool:
        """Whether there is a table of which the checkpoint knew nothing."""
        return bool(self._fresh)

    @property
    def nbytes(self) -> int:
        """Bytes of all tables."""
        return sum(table.nbytes for table in self._tables.values())

    def __len__(self) -> int:
        return sum(len(table.rows) for table in self._tables.values())

    def since(self) -> dict[str, int]:
        """The time (ms) from which on each table has cells, by its key."""
        return {
            key: table.oldest * table.resolution
            for key, table in self._tables.items()
            if table.closed is not None
        }

    def dropped(self) -> dict[str, int]:
        """What was not taken since the last call, by reason."""
        refused, self._budget.refused = self._budget.refused, 0
        return {"partials refused": refused} if refused else {}

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint, any key under `checkpoint.PREFIX`."""
        self._kept.restore(key, value)

    def adopt(self, uses: Iterable[LongUse], plan: int, limit: int = LIMITS.partial_bytes) -> None:
        """Serve these uses from now on; what is asked for as before goes on with what it has."""
        self._budget.limit = limit
        wanted: dict[str, list[LongUse]] = {}
        for use in uses:
            wanted.setdefault(use.table, []).append(use)
        for key in self._tables.keys() - wanted.keys():
            self._drop(key, len(self._tables[key].rows))
            self._tables.pop(key).rows.gone()
        for key, served in sorted(wanted.items()):
            fields: Fields = frozenset().union(*(use.fields for use in served))
            reach = max(use.reach_ms for use in served)
            if key not in self._tables:
                self._tables[key] = self._made(key, served[0].resolution, fields, reach, plan)
            selectors = dict.fromkeys(use.selector for use in served)
            self._tables[key].serve(fields, reach, selectors)
        self._settle()

    def _made(self, key: str, resolution: int, fields: Fields, reach: int, plan: int) -> Table:
        mark = self._kept.marks.get(key)
        born = plan if mark is None else mark.born
        table = Table(key, resolution, fields, reach, born, self._budget)
        if mark is None:
            self._fresh.add(key)
        else:
            self._kept.fill(table)
        return table

    def _settle(self) -> None:
        """Forget what the checkpoint said, once tables have it."""
        kept, self._kept = self._kept, Kept()
        for key in kept.series.keys() - self._tables.keys():
            self._drop(key, CHUNK * (max(kept.series[key]) + 1))
        self._chunks |= kept.chunks

    def _drop(self, key: str, rows: int) -> None:
        self._fresh.discard(key)
        self._removed += checkpoint.without_series(key, range(-(-rows // CHUNK)))
        self._moved = True

    def close(self, source: Source, now: int) -> None:
        """Take what can change no more at `now`, before any record of `now` is taken."""
        with np.errstate(all="ignore"):
            for table in self._tables.values():
                until = (now - LATENESS) // table.resolution
                before = table.closed
                if before is not None and until <= before:
                    continue
                numbers = table.close(source, until)
                self._dirty |= {(table.resolution, number) for number in numbers}
                table.forget()
                an_hour = _HOUR // table.resolution
                if before is not None and until // an_hour > before // an_hour:
                    table.sweep()
                self._moved = True

    def changes(self) -> list[StateChange]:
        """What has to be checkpointed since the last call, the mark last."""
        if not self._moved:
            return []
        self._moved = False
        self._fresh.clear()
        tables = list(self._tables.values())
        found, self._removed = self._removed, []
        for table in tables:
            found += [checkpoint.labels(table, chunk) for chunk in sorted(table.rows.dirty)]
            table.rows.dirty.clear()
        for cell in sorted(self._dirty):
            found += self._written(cell, tables)
        self._dirty.clear()
        found += self._expired(tables)
        return [*found, checkpoint.mark(tables)]

    def _written(self, cell: Cell, tables: list[Table]) -> list[StateChange]:
        written = list(checkpoint.cells(cell, tables))
        chunks = {checkpoint.chunk_of(change.key) for change in written}
        gone = sorted(self._chunks.get(cell, set()) - chunks)
        self._chunks[cell] = chunks
        return [*written, *checkpoint.without_cells(cell, gone)]

    def _expired(self, tables: list[Table]) -> list[StateChange]:
        oldest: dict[int, int] = {}
        for table in tables:
            held = oldest.get(table.resolution, table.oldest)
            oldest[table.resolution] = min(held, table.oldest)
        gone = [cell for cell in self._chunks if cell[0] not in oldest or cell[1] < oldest[cell[0]]]
        return [
            change
            for cell in sorted(gone)
            for change in checkpoint.without_cells(cell, sorted(self._chunks.pop(cell)))
        ]

    def read(
        self, source: Source, selector: Selector, resolution: int, fields: Fields, bounds: Bounds
    ) -> tuple[SeriesSet, Span]:
        """The series that a selector reads, and what the bounds hold of each."""
        table = self._tables[LongUse(selector, resolution, fields, 0).table]
        step = resolution
        low = bounds.start // step
        high = bounds.end // step if bounds.whole else (bounds.at - LATENESS) // step
        high = max(low, high)
        columns = source.select(selector, min(high, table.closed or high) * step, bounds.end)
        aligned = table.rows.align(selector, columns.series)

        def opened(number: int) -> Cells | None:
            if table.closed is None:
                return None
            return _placed(columns, number * step, (number + 1) * step, fields, aligned)

        cells = table.fold(aligned, low, high, fields, opened)
        if bounds.whole:
            return aligned.series, Span(cells, low * step, high * step, bounds.at)
        cells = merged(cells, _placed(columns, high * step, bounds.end, fields, aligned))
        return aligned.series, Span(cells, low * step, bounds.end, bounds.at)


def _placed(columns: Columns, start: int, end: int, fields: Fields, aligned: Aligned) -> Cells:
    """Raw samples as cells, in the order of the aligned series."""
    cells = measured(columns, start, end, fields)
    sources = aligned.sources
    if len(sources) == cells.size and aligned.same:
        return cells
    here = sources >= 0
    place = np.maximum(sources, 0)
    taken = {
        field: np.where(here, column[place], 0).astype(column.dtype)
        if cells.size
        else np.zeros(len(sources), column.dtype)
        for field, column in cells.columns.items()
    }
    return Cells(cells.base, len(sources), taken)
