"""Numbers of the series that groups select, and which groups select them.

Series come and go. Once there are many numbers the unused ones are given up, if they are most.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from processors.promql.columns import Floats, Rows, Times
from processors.promql.plan import SelectorUse
from processors.selector_table import SelectorTable
from schemas.labels import Labels

SERIES = 200_000
"""How many series are numbered before one looks which of them are in use."""
IDLE = 900_000
"""A series without samples for so long (ms) is not in use."""
UNSELECTED = 20_000
"""How many series that nobody selects are remembered, for blocks that change a little."""
_Mask = NDArray[np.bool_]


class Numbering:
    """Series by number, from 0 on; `selected_by` are the uses of each group."""

    def __init__(self, selected_by: Iterable[Iterable[SelectorUse]]) -> None:
        self._groups: dict[SelectorUse, list[int]] = {}
        self.members: list[_Mask] = []
        """For each group which numbers it selects; those behind the end it does not."""
        for group, uses in enumerate(selected_by):
            self.members.append(np.zeros(1_024, np.bool_))
            for use in dict.fromkeys(uses):
                self._groups.setdefault(use, []).append(group)
        self._table = SelectorTable(self._groups)
        self._numbers: dict[Labels, int] = {}
        self._unselected: dict[Labels, None] = {}
        self.labels: list[Labels] = []
        self.text: Floats = np.zeros(1_024)
        """About how many bytes the labels of each number are."""
        self._seen: Times = np.zeros(1_024, np.int64)
        self._room = SERIES

    @property
    def full(self) -> bool:
        """Whether it is time to look which numbers are in use."""
        return len(self.labels) >= self._room

    def number(self, labels: Labels) -> int:
        """The number of a series that some group selects, else −1."""
        number = self._numbers.get(labels)
        if number is not None:
            return number
        if labels in self._unselected:
            return -1
        groups = {group for use in self._table.of(labels) for group in self._groups[use]}
        if not groups:
            self._unselected[labels] = None
            if len(self._unselected) > UNSELECTED:
                del self._unselected[next(iter(self._unselected))]
            return -1
        number = self._numbers[labels] = len(self.labels)
        self.labels.append(labels)
        if number >= len(self.text):
            self.text = np.concatenate([self.text, np.zeros_like(self.text)])
            self._seen = np.concatenate([self._seen, np.zeros_like(self._seen)])
        self.text[number] = sum(len(name) + 4 * len(value) for name, value in labels)
        for group in groups:
            member = self.members[group]
            while number >= len(member):
                member = np.concatenate([member, np.zeros_like(member)])
            member[number] = True
            self.members[group] = member
        return number

    def see(self, ids: Rows, now: int) -> None:
        """These numbers are in use at `now`, in ms."""
        self._seen[ids] = now

    def give_up(self, now: int, held: Sequence[Rows]) -> Rows | None:
        """Give up the numbers that are neither held nor in use, if they are most.

        Then all others are new: the new number of each old one, −1 where it has none. Else None.
        """
        count = len(self.labels)
        used = self._seen[:count] > now - IDLE
        for ids in held:
            used[ids] = True
        kept = np.flatnonzero(used)
        self._room = max(SERIES, 2 * len(kept))
        if 2 * len(kept) > count:
            return None
        moved: Rows = np.full(count, -1, np.intp)
        moved[kept] = np.arange(len(kept))
        self.labels = [self.labels[number] for number in kept.tolist()]
        self._numbers = {labels: number for number, labels in enumerate(self.labels)}
        self.text[: len(kept)] = self.text[kept]
        self._seen[: len(kept)] = self._seen[kept]
        for group, member in enumerate(self.members):
            within = kept[kept < len(member)]
            self.members[group] = np.zeros_like(member)
            self.members[group][: len(within)] = member[within]
        return moved
