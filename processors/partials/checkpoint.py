"""Tables as entries of a checkpoint: labels by chunks of rows, cells by chunks below the limit.

What closed in a minute is one entry, whatever the number of tables. The mark comes last: what an
entry says about cells that the mark does not know as closed is made again.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import ormsgpack

from processors.partials.blocks import Block, alike
from processors.partials.fields import Field
from processors.partials.rows import CHUNK
from processors.partials.table import Table
from processors.promql.labels import Labels
from schemas.stage import StateChange

PREFIX = "partials/"
MARK = PREFIX + "closed"
_SERIES = PREFIX + "series/"
_CELLS = PREFIX + "cells/"
LARGEST = 700_000
"""Bytes of one entry before compression: well below the message limit."""

Cell: TypeAlias = tuple[int, int]
"""Resolution (ms) and number."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a table is: under which plan it began, its oldest cell, its first open one."""

    born: int
    oldest: int
    closed: int


class Kept:
    """What a checkpoint holds."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}
        self.series: dict[str, dict[int, list[Labels | None]]] = {}
        self.chunks: dict[Cell, set[int]] = {}
        self._pieces: dict[str, dict[int, list[_Piece]]] = {}

    def restore(self, key: str, value: bytes) -> None:
        """Take an entry, any key under `PREFIX`."""
        content = ormsgpack.unpackb(zlib.decompress(value))
        if key == MARK:
            self.marks = {name: Mark(*mark) for name, mark in content.items()}
        elif key.startswith(_SERIES):
            table, _, chunk = key.removeprefix(_SERIES).rpartition("/")
            labels = [each and tuple((n, v) for n, v in each) for each in content]
            self.series.setdefault(table, {})[int(chunk)] = labels
        else:
            resolution, number, part = (int(n) for n in key.removeprefix(_CELLS).split("/"))
            self.chunks.setdefault((resolution, number), set()).add(part)
            for name, *piece in content:
                self._pieces.setdefault(name, {}).setdefault(number, []).append(_Piece(*piece))

    def fill(self, table: Table) -> None:
        """Give a table back what was kept of it."""
        mark = self.marks[table.key]
        table.oldest, table.closed = mark.oldest, mark.closed
        table.rows.restore(self.series.get(table.key, {}))
        for number, pieces in sorted(self._pieces.get(table.key, {}).items()):
            mine = [piece for piece in pieces if piece.born == mark.born]
            if mine and mark.oldest <= number < mark.closed:
                table.put(number, _block(number * table.resolution, mine))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some rows of a table's cell: for each field the type and the column's bytes."""

    born: int
    first: int
    rows: int
    columns: Mapping[str, tuple[str, bytes]]


def _block(base: int, pieces: Sequence[_Piece]) -> Block:
    ordered = sorted(pieces, key=lambda piece: piece.first)
    columns = {}
    for name in ordered[0].columns:
        parts = [np.frombuffer(each.columns[name][1], each.columns[name][0]) for each in ordered]
        columns[Field(name)] = alike(parts[0] if len(parts) == 1 else np.concatenate(parts))
    return Block(base, sum(piece.rows for piece in ordered), columns)


def mark(tables: Iterable[Table]) -> StateChange:
    """How far all tables are."""
    content = {
        table.key: [table.born, table.oldest, table.closed]
        for table in tables
        if table.closed is not None
    }
    return StateChange(MARK, _packed(content))


def labels(table: Table, chunk: int) -> StateChange:
    """The labels of a chunk of rows."""
    key = f"{_SERIES}{table.key}/{chunk}"
    return StateChange(key, _packed(table.rows.labels[chunk * CHUNK : (chunk + 1) * CHUNK]))


def without_series(table: str, chunks: Iterable[int]) -> Iterator[StateChange]:
    """A table that is no more."""
    return (StateChange(f"{_SERIES}{table}/{chunk}", None) for chunk in chunks)


def cells(cell: Cell, tables: Iterable[Table]) -> Iterator[StateChange]:
    """What all tables hold of one cell."""
    entry: list[Any] = []
    size = chunk = 0
    for piece, length in _pieces(cell, tables):
        if entry and size + length > LARGEST:
            yield StateChange(_key(cell, chunk), _packed(entry))
            entry, size, chunk = [], 0, chunk + 1
        entry.append(piece)
        size += length
    if entry:
        yield StateChange(_key(cell, chunk), _packed(entry))


def without_cells(cell: Cell, chunks: Iterable[int]) -> Iterator[StateChange]:
    """Chunks of a cell that are no more."""
    return (StateChange(_key(cell, chunk), None) for chunk in chunks)


def chunk_of(key: str) -> int:
    """The number of the chunk that an entry of cells holds."""
    return int(key.rpartition("/")[2])


def _pieces(cell: Cell, tables: Iterable[Table]) -> Iterator[tuple[list[Any], int]]:
    resolution, number = cell
    for table in tables:
        held = table.blocks.get(number) if table.resolution == resolution else None
        if held is None:
            continue
        width = sum(column.itemsize for column in held.columns.values())
        step = max(1, (LARGEST - 10_000) // width)
        for first in range(0, held.size, step):
            columns = _columns(held.columns, first, min(first + step, held.size))
            rows = min(step, held.size - first)
            yield [table.key, table.born, first, rows, columns], rows * width + 200


def _columns(columns: Mapping[Field, Any], first: int, end: int) -> dict[str, list[Any]]:
    return {
        str(name): [column.dtype.str, np.ascontiguousarray(column[first:end]).tobytes()]
        for name, column in columns.items()
    }


def _key(cell: Cell, chunk: int) -> str:
    return f"{_CELLS}{cell[0]}/{cell[1]:012d}/{chunk}"


def _packed(content: object) -> bytes:
    return zlib.compress(ormsgpack.packb(content, option=ormsgpack.OPT_NON_STR_KEYS), 1)
