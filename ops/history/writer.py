"""Writes blocks to history so that nothing is lost and nothing is doubled, over every crash.

The rule that held in 120 kills of the engine: whenever it is not certain what is stored (after a
start, or an insert that failed or did not answer), look up which of the block's offsets are there
and insert the others. A block's insert is one part, so an offset is stored with all its rows of
that day or with none. No deduplication token is used: the engine writes it before the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from ops.history.blocks import DAY_MS, Block, split, without
from ops.history.errors import HistoryAway, HistoryError
from ops.history.tables import Table


class Store(Protocol):
    """What the writer needs of history."""

    def insert(self, table: str, rows: pa.Table, comment: str = "") -> None:
        """Store the rows as one part, or raise HistoryError."""

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """The rows that a query finds."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write: rows stored now, and rows that were stored already."""

    stored: int
    found: int


class Writer:
    """The one writer of a topic partition's rows; not shared between threads.

    A call that raises HistoryAway is repeated by its caller with the same rows. Offsets of one
    table, topic and partition come in rising order, except when a reader starts again.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # By table, topic and partition, then by day: no offset above this one is stored.
        self._highest: dict[tuple[str, str, int], dict[int, int]] = {}

    def write(self, table: Table, topic: str, partition: int, rows: pa.Table) -> Written:
        """Store the rows that are not stored yet; on return all of them are."""
        total = 0
        for block in split(rows, table.time):
            total += self._write(table, topic, partition, block)
        return Written(total, rows.num_rows - total)

    def forget(self) -> None:
        """Trust nothing remembered: after a rebalance another writer may have stored rows."""
        self._highest.clear()

    def _write(self, table: Table, topic: str, partition: int, block: Block) -> int:
        key = (table.name, topic, partition)
        highest = self._highest.setdefault(key, {})
        left: Block | None = block
        comment = f"tocsin {table.name} {topic} {partition}"
        try:
            if highest.get(block.day, -1) < 0 or block.first <= highest[block.day]:
                stored = self._stored(table, topic, partition, block, comment)
                left = without(block, (offset for offset in stored if offset <= block.last))
                highest[block.day] = max([highest.get(block.day, -1), *stored])
            if left is not None:
                self._store.insert(table.name, _placed(left.rows, topic, partition), comment)
        except HistoryError:
            self._highest.pop(key, None)  # it may be stored, or be stored yet
            raise
        highest[block.day] = max(highest[block.day], block.last)
        return left.rows.num_rows if left is not None else 0

    def _stored(
        self, table: Table, topic: str, partition: int, block: Block, comment: str
    ) -> list[int]:
        """The offsets from the block's first on that this day holds; also those beyond its last."""
        running = self._store.rows(
            "SELECT count() FROM system.processes WHERE Settings['log_comment'] = {comment:String}",
            {"comment": comment},
        )
        if running[0][0]:
            raise HistoryAway("an earlier insert of this partition still runs")
        name, time = table.name, table.time
        found = self._store.rows(
            f"SELECT DISTINCT offset FROM {name}"
            " WHERE topic = {topic:String} AND partition = {partition:UInt16}"
            f" AND offset >= {{first:UInt64}} AND {time} >= fromUnixTimestamp64Milli({{low:Int64}})"
            f" AND {time} < fromUnixTimestamp64Milli({{high:Int64}})",
            {
                "topic": topic,
                "partition": partition,
                "first": block.first,
                "low": block.day * DAY_MS,
                "high": (block.day + 1) * DAY_MS,
            },
        )
        return [int(row[0]) for row in found]


def _placed(rows: pa.Table, topic: str, partition: int) -> pa.Table:
    """The rows with the block's own columns, as the table has them."""
    count = rows.num_rows
    names = pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), pa.array([topic]))
    numbers = pa.array(np.full(count, partition, np.uint16))
    return rows.append_column("topic", names).append_column("partition", numbers)
