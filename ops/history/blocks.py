"""Blocks: the rows of a contiguous offset range of one partition, of one day; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

DAY_MS = 86_400_000
MAX_ROWS = 1_000_000
"""The engine stores an insert of up to 2^20 rows as one part, whole or not at all."""

Offsets = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that are stored whole or not at all; `day` counts days since 1970."""

    day: int
    first: int
    last: int
    rows: pa.Table


def split(rows: pa.Table, time: str, max_rows: int = MAX_ROWS) -> Iterator[Block]:
    """The blocks of these rows, by day and then by offset; an offset's rows of a day stay together.

    That they stay together is what lets an offset found in the store stand for all its rows of
    that day.
    """
    if rows.num_rows == 0:
        return
    days = _integers(rows, time) // DAY_MS
    low, high = int(days.min()), int(days.max())
    if low == high:
        yield from _by_offset(rows, low, max_rows)
        return
    for day in np.unique(days):
        yield from _by_offset(rows.filter(pa.array(days == day)), int(day), max_rows)


def without(block: Block, stored: Iterable[int]) -> Block | None:
    """The block without the offsets that are stored already; None when nothing is left."""
    known = np.fromiter(stored, np.uint64)
    if known.size == 0:
        return block
    offsets = _offsets(block.rows)
    fresh = ~np.isin(offsets, known)
    if not fresh.any():
        return None
    left = offsets[fresh]
    rows = block.rows.filter(pa.array(fresh))
    return Block(block.day, int(left.min()), int(left.max()), rows)


def _by_offset(rows: pa.Table, day: int, max_rows: int) -> Iterator[Block]:
    offsets = _offsets(rows)
    if np.any(offsets[1:] < offsets[:-1]):
        order = np.argsort(offsets, kind="stable")
        rows, offsets = rows.take(pa.array(order)), offsets[order]
    start = 0
    while start < offsets.size:
        end = min(start + max_rows, offsets.size)
        if end < offsets.size:
            cut = int(np.searchsorted(offsets, offsets[end]))
            # One record with more rows than fit is still one block: it cannot be told apart.
            end = cut if cut > start else int(np.searchsorted(offsets, offsets[end], "right"))
        part = rows.slice(start, end - start)
        yield Block(day, int(offsets[start]), int(offsets[end - 1]), part)
        start = end


def _offsets(rows: pa.Table) -> Offsets:
    offsets: Offsets = rows.column("offset").to_numpy()
    return offsets


def _integers(rows: pa.Table, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    numbers: np.ndarray[Any, np.dtype[np.int64]] = rows.column(name).cast(pa.int64()).to_numpy()
    return numbers
