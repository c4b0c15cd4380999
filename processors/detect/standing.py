"""Whose findings stand though nothing is known of them now: no data is not good news."""

import numpy as np
from numpy.typing import NDArray

from processors.detect.sheet import Layout, Sheet
from processors.promql.columns import Rows


def layouts(kinds: int = 1) -> tuple[Layout, Layout]:
    """What `held` keeps: which kinds of finding stand, and since when data is missing."""
    return Layout("standing", fields=kinds), Layout("missing")


def held(
    sheet: Sheet, found: NDArray[np.bool_], known: Rows, at: int, hold: int
) -> list[tuple[int, int]]:
    """The (kind, row) of findings of which nothing is known, for `hold` ms at the most.

    `found` is [kind, row], `known` are the rows of which something is known at this instant (ms).
    """
    standing, missing = sheet["standing"], sheet["missing"]
    before, since = standing.values[0], missing.values[0, 0]
    here = np.zeros(sheet.capacity, np.bool_)
    here[known] = True
    stood = before.any(axis=0)
    if not stood.any() and not found.any():
        return []
    silent = stood & ~here
    lapsed = silent & (since > 0) & (at - since > hold)
    after = np.where(here, found, found | (before * ~lapsed > 0))
    began = np.where(silent & ~lapsed, np.where(since > 0, since, at), 0)
    for block, old, new in ((standing, before, after), (missing, since, began)):
        if not np.array_equal(old, new):
            old[...] = new
            block.touch()
    kinds, rows = np.nonzero(after & ~found & ~here)
    return list(zip(kinds.tolist(), rows.tolist(), strict=True))
