"""A source over the windows: of all series that are held, or of one instance's."""

from typing import TYPE_CHECKING

from processors.partials.store import Partials
from processors.promql.columns import Columns, Rows
from processors.promql.selector import Selector
from processors.sample_store import Places, SampleStore, StoreReader, places
from processors.series_index import Located, SeriesIndex

if TYPE_CHECKING:
    from processors.windows import Windows


class Selection:
    """A `promql` source: of all series that are held, or of one instance's."""

    def __init__(self, windows: "Windows", instance: str | None = None) -> None:
        self._windows = windows
        self._instance = instance
        self._places: dict[Selector, tuple[Located, Places]] = {}
        self._columns: dict[tuple[Selector, int, int], Columns] = {}
        self._seen = -1

    @property
    def partials(self) -> Partials | None:
        """What is known of longer ago; of one instance alone nothing is asked so far back."""
        return self._windows.partials if self._instance is None else None

    @property
    def generation(self) -> tuple[int, int]:
        """Changes whenever a series joins, or is forgotten."""
        self._windows.flushed()
        return self._windows.sweeps, self._index.generation

    def reader(self, numbers: Rows) -> StoreReader:
        """The samples of these series; good while the generation is the same."""
        return StoreReader(self._windows.flushed, places(numbers))

    @property
    def store(self) -> SampleStore:
        """The samples, everything that was taken included."""
        return self._windows.flushed()

    def locate(self, selector: Selector) -> Located:
        """The series that match, in label order, and their numbers in the store."""
        return self._index.locate(selector)

    @property
    def _index(self) -> SeriesIndex:
        return self._windows.index(self._instance)

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """At least the samples in (start, end] of the series that match; in label order."""
        store = self.store
        if self._seen != self._windows.changes:
            self._seen = self._windows.changes
            self._columns.clear()
        asked = (selector, start, end)
        columns = self._columns.get(asked)
        if columns is None:
            located = self.locate(selector)
            known = self._places.get(selector)
            if known is None or known[0] is not located:
                known = self._places[selector] = (located, places(located.numbers))
            columns = store.columns(located.series, known[1], start, end)
            self._columns[asked] = columns
        return columns
