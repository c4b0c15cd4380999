"""What each step comes to for the series that a source has now: its rows, and who meets whom."""

from dataclasses import dataclass
from typing import TypeAlias

from processors.promql import nodes
from processors.promql.binary import Sets, Vectors
from processors.promql.columns import Rows, SeriesSet
from processors.promql.fusion.operations import (
    Alone,
    AsScalar,
    AsVector,
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
from processors.promql.tree import Cardinality, Kind
from processors.promql.vector import twins, unnamed


@dataclass(frozen=True, slots=True, eq=False)
class Partners:
    """Of two vectors: for each row of one its row in the other, or −1; `swapped`: of the right."""

    row: Rows
    swapped: bool


Meeting: TypeAlias = Partners | Signatures | Groups | None


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """The rows of a step: `series` of a vector, None of a scalar; `alone` where it runs so."""

    series: SeriesSet | None
    meeting: Meeting = None
    alone: bool = False
    checked: bool = False
    """Whether labels may come out the same, which is an error where both are present."""

    @property
    def size(self) -> int:
        """How many rows."""
        return 1 if self.series is None else len(self.series)


ALONE = Laid(None, alone=True)


def laid(step: Step, inputs: tuple[SeriesSet | None, ...]) -> Laid:
    """Lays out a step that is no selector; `ALONE` for what cannot be known ahead."""
    match step.operation:
        case Mapped() | Stamped():
            return without_name(inputs[0])
        case Operated(matching=None, drops_name=drops):
            series = inputs[0] if inputs[1] is None else inputs[1]
            return without_name(series) if drops else Laid(series)
        case Operated():
            return _of_two(step, inputs)
        case Set(op) if isinstance(step.node, Sets):
            left, right = _both(inputs)
            found = step.node.pairs.between(left, right)
            return Laid(step.node.union(left, right) if op == "or" else left, found)
        case Summed() if step.grouping is not None and inputs[0] is not None:
            groups = step.grouping.of(inputs[0])
            return Laid(groups.series, groups)
        case Missing() if isinstance(step.node, nodes.Absent):
            return Laid(step.node.series)
        case AsVector():
            return Laid(nodes.UNLABELLED)
        case Alone():
            return ALONE
    return Laid(None)


def read(step: Step, series: SeriesSet) -> Laid:
    """Lays out a selector, or a function over one, that selects these series."""
    match step.operation:
        case Newest(timed=False):
            return Laid(series)
        case Over(kernel=kernel) if kernel.keeps_name:
            return Laid(series)
    return without_name(series)


def without_name(series: SeriesSet | None) -> Laid:
    """The same rows without metric names."""
    if series is None:
        return Laid(None)
    reduced = unnamed(series)
    return Laid(reduced, checked=twins(reduced) is not None)


def _both(inputs: tuple[SeriesSet | None, ...]) -> tuple[SeriesSet, SeriesSet]:
    left, right = inputs
    assert left is not None
    assert right is not None
    return left, right


def _of_two(step: Step, inputs: tuple[SeriesSet | None, ...]) -> Laid:
    node = step.node
    assert isinstance(node, Vectors)
    left, right = _both(inputs)
    swapped = node.matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    found = node.pairs.between(many, one)
    if found.right_row is None:
        return ALONE
    series = node.series(many, one, found.right_row)
    repeated = twins(series) is not None
    if node.matching.cardinality is Cardinality.ONE_TO_ONE:
        if not found.left_unique:
            return ALONE
    elif repeated:
        return ALONE
    return Laid(series, Partners(found.right_row, swapped), checked=repeated)


def is_scalar(step: Step) -> bool:
    """Whether its value is one number without labels."""
    return step.kind is Kind.SCALAR or isinstance(step.operation, AsScalar)
