"""Batches of steps that compute: rows of many rules in one call, by index into a register file.

Register 0 is absent for ever: it stands for whoever has no partner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from processors.promql.aggregation import Summary
from processors.promql.columns import Floats, Mask, Rows, SeriesSet
from processors.promql.grouping import Groups
from processors.promql.nodes import Moment
from processors.promql.vector import Vector, repeats


@dataclass(slots=True, eq=False)
class Registers:
    """A value for each row of each step, at one instant; rows that are absent mean nothing."""

    moment: Moment
    values: Floats
    present: Mask
    failed: set[int]
    """Steps with an error: whoever builds on them is evaluated alone."""
    moved: set[int]
    """Steps that run alone and have other series than before."""


class Batch(Protocol):
    """Steps that are computed together."""

    def run(self, registers: Registers) -> None:
        """Computes the rows of the batch from rows that are there."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Rows of steps in which labels may repeat; equal numbers where they are equal."""

    rows: Rows
    ids: Rows
    steps: Rows

    def run(self, registers: Registers) -> None:
        """Marks the steps in which they do."""
        here = registers.present[self.rows]
        ids = self.ids[here]
        if repeats(ids):
            twice = np.flatnonzero(np.bincount(ids) > 1)
            registers.failed.update(self.steps[here][np.isin(ids, twice)].tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Instant:
    """The time of the evaluation, in seconds, of rows as present as others are."""

    out: slice
    rows: Rows

    def run(self, registers: Registers) -> None:
        registers.values[self.out] = registers.moment.at / 1000
        registers.present[self.out] = registers.present[self.rows]


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """A function of each value."""

    out: slice
    rows: Rows
    apply: Callable[..., Any]
    scalars: tuple[float, ...]

    def run(self, registers: Registers) -> None:
        registers.values[self.out] = self.apply(registers.values[self.rows], *self.scalars)
        registers.present[self.out] = registers.present[self.rows]


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """An operator whose result is a number, `bool` included."""

    out: slice
    left: Rows
    right: Rows
    apply: Callable[..., Any]

    def run(self, registers: Registers) -> None:
        values, present = registers.values, registers.present
        values[self.out] = self.apply(values[self.left], values[self.right])
        np.logical_and(present[self.left], present[self.right], out=present[self.out])


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """A comparison that keeps one side's values where it holds."""

    out: slice
    left: Rows
    right: Rows
    apply: Callable[..., Any]
    keeps: int

    def run(self, registers: Registers) -> None:
        values, present = registers.values, registers.present
        sides = values[self.left], values[self.right]
        holds = self.apply(*sides)
        holds &= present[self.left]
        holds &= present[self.right]
        values[self.out] = sides[self.keeps]
        present[self.out] = holds


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Rows of two sides, with equal numbers where their signatures are equal."""

    left: Rows
    right: Rows
    left_ids: Rows
    right_ids: Rows
    count: int

    def held(self, present: Mask, from_left: bool) -> Mask:
        """Of one side's rows, which have somebody present on the other."""
        rows, ids, wanted = (
            (self.left, self.left_ids, self.right_ids)
            if from_left
            else (self.right, self.right_ids, self.left_ids)
        )
        seen = np.zeros(self.count, dtype=np.bool_)
        seen[ids[present[rows]]] = True
        return seen[wanted]


@dataclass(frozen=True, slots=True, eq=False)
class Intersection:
    """`and`; or `unless`, which keeps the others."""

    out: slice
    sides: Sides
    keeps: bool

    def run(self, registers: Registers) -> None:
        values, present = registers.values, registers.present
        held = self.sides.held(present, from_left=False)
        values[self.out] = values[self.sides.left]
        present[self.out] = present[self.sides.left] & (held if self.keeps else ~held)


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """`or`: of each step the left rows, then the right ones."""

    sides: Sides
    left_out: Rows
    right_out: Rows

    def run(self, registers: Registers) -> None:
        values, present, sides = registers.values, registers.present, self.sides
        values[self.left_out] = values[sides.left]
        present[self.left_out] = present[sides.left]
        values[self.right_out] = values[sides.right]
        present[self.right_out] = present[sides.right] & ~sides.held(present, from_left=True)


@dataclass(frozen=True, slots=True, eq=False)
class Aggregation:
    """An aggregation; `groups.order` are registers."""

    out: slice
    groups: Groups
    apply: Summary
    number: float

    def run(self, registers: Registers) -> None:
        vector = Vector(self.groups.series, registers.values, registers.present)
        members = self.groups.members(vector)
        registers.present[self.out] = members.groups
        if members.rows.size:
            registers.values[self.out][members.groups] = self.apply(members, self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Absence:
    """`absent`, a row a step; `owners` says whose each row is."""

    out: slice
    rows: Rows
    owners: Rows

    def run(self, registers: Registers) -> None:
        count = self.out.stop - self.out.start
        there = np.bincount(self.owners[registers.present[self.rows]], minlength=count)
        registers.values[self.out] = 1.0
        registers.present[self.out] = there == 0


@dataclass(frozen=True, slots=True, eq=False)
class Only:
    """`scalar`: the value of the only row that is present, else NaN."""

    out: slice
    rows: Rows
    owners: Rows

    def run(self, registers: Registers) -> None:
        count = self.out.stop - self.out.start
        here = registers.present[self.rows]
        owners = self.owners[here]
        found = np.full(count, np.nan)
        found[owners] = registers.values[self.rows[here]]
        found[np.bincount(owners, minlength=count) != 1] = np.nan
        registers.values[self.out] = found
        registers.present[self.out] = True


def unlabelled(count: int) -> SeriesSet:
    """So many series whose labels nobody reads."""
    return SeriesSet(((),) * count)
