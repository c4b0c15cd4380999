"""Cells as they are kept: in narrow types, and a column whose rows are all alike as one number."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from processors.partials.cells import Cells, Column
from processors.partials.fields import Field, Fields, narrow, wide
from processors.promql.columns import Mask, Rows


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows [0, size) of a table over one span; rows that came later have nothing in it."""

    base: int
    size: int
    columns: Mapping[Field, Column]

    @property
    def nbytes(self) -> int:
        """Bytes of the columns: those that are all alike take one number."""
        return sum(
            column.itemsize if self.size and not column.strides[0] else column.nbytes
            for column in self.columns.values()
        )

    def cells(self, fields: Fields, rows: Rows) -> Cells:
        """Some fields of some rows."""
        columns = {}
        inside = rows < self.size
        whole = bool(inside.all())
        place = rows if whole else np.minimum(rows, max(self.size - 1, 0))
        for field in fields:
            column = self.columns[field]
            taken = column[place].astype(wide(field)) if self.size else np.zeros(len(rows))
            columns[field] = taken if whole else np.where(inside, taken, 0).astype(wide(field))
        return Cells(self.base, len(rows), columns)


def block(cells: Cells, span: int) -> Block:
    """Cells of a span of `span` ms, to be kept."""
    columns = {
        field: alike(column.astype(narrow(field, span), copy=False))
        for field, column in cells.columns.items()
    }
    return Block(cells.base, cells.size, columns)


def alike(column: Column) -> Column:
    """The column; where all rows are the same bits, without a place for each."""
    if len(column) > 1 and bool((column == column[0]).all()) and column[0] != 0:
        return np.broadcast_to(column[0], column.shape)
    # Zero has two signs, which compare equal.
    if len(column) > 1 and not column.view(f"u{column.itemsize}").any():
        return np.broadcast_to(column[0], column.shape)
    return column


def filled(cells: Cells) -> Mask:
    """Which rows have anything."""
    found: Mask = np.zeros(cells.size, np.bool_)
    for field in (Field.COUNT, Field.NEWEST_AT):
        if field in cells.columns:
            found |= cells[field] > 0
    return found
