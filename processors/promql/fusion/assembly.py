"""Batches of steps of one kind: their rows one after the other, as indices of registers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from processors.promql.columns import Rows
from processors.promql.fusion import batches
from processors.promql.fusion.batches import Batch, Sides
from processors.promql.fusion.layout import Laid, Partners
from processors.promql.fusion.leaves import Instants, Numbered, Ranges, Solo
from processors.promql.fusion.operations import (
    AsScalar,
    Clock,
    Mapped,
    Missing,
    Newest,
    Operated,
    Over,
    Set,
    Stamped,
    Summed,
)
from processors.promql.fusion.steps import Step
from processors.promql.grouping import Groups
from processors.promql.matching import Signatures
from processors.promql.operators import ARITHMETIC, COMPARISONS

Key: TypeAlias = tuple[object, ...]
_NOBODY = 0
_SIZES = 2
"""Groups of up to so many times another's size are padded to the same width."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A step with its rows from register `start` on, and where its inputs' rows are."""

    number: int
    step: Step
    rows: Laid
    start: int
    inputs: tuple[range, ...]
    numbers: Rows | None
    """Of a selector: the numbers of its series."""

    @property
    def registers(self) -> range:
        """Its rows."""
        return range(self.start, self.start + self.rows.size)


def key(step: Step, rows: Laid) -> Key:
    """Steps of equal keys are computed together."""
    operation = step.operation
    if rows.alone:
        return ("alone", id(step))
    match operation:
        case Newest(_, reference, timed, lookback):
            return ("newest", reference, timed, lookback)
        case Over(kernel, scalars, _, window, reference):
            return ("over", kernel, scalars, window, reference)
        case Operated(op, keeps, _, matching):
            return ("operated", op, keeps, matching is None and keeps)
        case Set(op):
            return ("set", op)
        case Summed(apply, number) if isinstance(rows.meeting, Groups):
            largest = int(rows.meeting.sizes.max(initial=1))
            return ("summed", apply, number, largest.bit_length() // _SIZES)
        case Mapped(apply, scalars):
            return ("mapped", apply, scalars)
    return (type(operation),)


def batch(steps: Sequence[Placed], source: Numbered) -> Batch:
    """One batch of steps with the same key, placed one after the other."""
    first = steps[0]
    out = slice(first.start, steps[-1].registers.stop)
    if first.rows.alone:
        step = first.step
        return Solo(out, step.node, step.lookback, first.rows.series, first.number)
    match first.step.operation:
        case Newest(_, reference, timed, lookback):
            numbers, rows = _distinct(steps)
            reader = source.reader(numbers)
            return Instants(out, reader, len(numbers), rows, reference, lookback, timed)
        case Over(kernel, scalars, _, window, reference):
            numbers, rows = _distinct(steps)
            given = tuple(each.value for each in scalars)
            reader = source.reader(numbers)
            return Ranges(out, reader, len(numbers), rows, reference, window, kernel, given)
    return _computed(out, steps)


def _computed(out: slice, steps: Sequence[Placed]) -> Batch:
    match steps[0].step.operation:
        case Mapped(apply, scalars):
            given = tuple(each.value for each in scalars)
            return batches.Mapping(out, _inputs(steps), apply, given)
        case Stamped():
            return batches.Instant(out, _inputs(steps))
        case Clock():
            return batches.Instant(out, np.arange(out.start, out.stop))
        case Operated(op, keeps, _, _):
            left, right = _operands(steps)
            if op in ARITHMETIC:
                return batches.Arithmetic(out, left, right, ARITHMETIC[op])
            if keeps is None:
                return batches.Arithmetic(out, left, right, COMPARISONS[op])
            return batches.Filter(out, left, right, COMPARISONS[op], keeps)
        case Set(op):
            return _set(op, out, steps)
        case Summed(apply, number):
            return batches.Aggregation(out, _groups(steps), apply, number.value)
        case Missing():
            return batches.Absence(out, _inputs(steps), _owners(steps))
        case AsScalar():
            return batches.Only(out, _inputs(steps), _owners(steps))
    raise AssertionError(f"no batch of {steps[0].step.operation}")


def joined(parts: Iterable[Rows]) -> Rows:
    """Rows one after the other."""
    every = list(parts)
    return np.concatenate(every).astype(np.intp, copy=False) if every else np.zeros(0, np.intp)


def rows_of(registers: range) -> Rows:
    """Registers as rows."""
    return np.arange(registers.start, registers.stop)


def _inputs(steps: Sequence[Placed]) -> Rows:
    return joined(rows_of(each.inputs[0]) for each in steps)


def _owners(steps: Sequence[Placed]) -> Rows:
    return np.repeat(np.arange(len(steps)), [len(each.inputs[0]) for each in steps])


def _distinct(steps: Sequence[Placed]) -> tuple[Rows, Rows | None]:
    """The numbers of all series once, ascending; which of them each row is, unless just these."""
    numbers = joined(each.numbers for each in steps if each.numbers is not None)
    if bool((numbers[1:] > numbers[:-1]).all()):
        return numbers, None
    found, rows = np.unique(numbers, return_inverse=True)
    return found, rows


def _operands(steps: Sequence[Placed]) -> tuple[Rows, Rows]:
    sides = [_sides(each) for each in steps]
    return joined(left for left, _ in sides), joined(right for _, right in sides)


def _sides(placed: Placed) -> tuple[Rows, Rows]:
    left, right = (rows_of(each) for each in placed.inputs)
    meeting = placed.rows.meeting
    if isinstance(meeting, Partners):
        many, one = (right, left) if meeting.swapped else (left, right)
        partner = np.where(meeting.row >= 0, np.append(one, _NOBODY)[meeting.row], _NOBODY)
        return (partner, many) if meeting.swapped else (many, partner)
    size = placed.rows.size
    return (
        left if len(left) == size else np.repeat(left, size),
        right if len(right) == size else np.repeat(right, size),
    )


def _set(op: str, out: slice, steps: Sequence[Placed]) -> Batch:
    meetings = [each.rows.meeting for each in steps]
    found = [each for each in meetings if isinstance(each, Signatures)]
    ends = np.cumsum([each.count for each in found])
    begins = (ends - [each.count for each in found]).tolist()
    sides = Sides(
        joined(rows_of(each.inputs[0]) for each in steps),
        joined(rows_of(each.inputs[1]) for each in steps),
        joined(each.left + begin for each, begin in zip(found, begins, strict=True)),
        joined(each.right + begin for each, begin in zip(found, begins, strict=True)),
        int(ends[-1]),
    )
    if op != "or":
        return batches.Intersection(out, sides, op == "and")
    halves = [(each.registers, each.start + len(each.inputs[0])) for each in steps]
    return batches.Union(
        sides,
        joined(np.arange(registers.start, middle) for registers, middle in halves),
        joined(np.arange(middle, registers.stop) for registers, middle in halves),
    )


def _groups(steps: Sequence[Placed]) -> Groups:
    found = [(each.inputs[0].start, each.rows.meeting) for each in steps]
    groups = [(start, each) for start, each in found if isinstance(each, Groups)]
    sizes = joined(each.sizes for _, each in groups)
    begins = np.cumsum([0, *(len(each.series) for _, each in groups)]).tolist()
    ids = joined(each.ids + begin for (_, each), begin in zip(groups, begins, strict=False))
    order = joined(each.order + start for start, each in groups)
    series = batches.unlabelled(begins[-1])
    return Groups(series, order, ids, sizes, np.cumsum(sizes) - sizes)
