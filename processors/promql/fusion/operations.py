"""What a step may do; equal operations on equal inputs are one step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from processors.promql import nodes
from processors.promql.aggregation import Summary
from processors.promql.kernels.registry import RangeKernel
from processors.promql.nodes import Reference
from processors.promql.selector import Selector
from processors.promql.tree import Matching


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, by Python's hexadecimal notation: which tells -0.0 from 0.0, and knows NaN."""

    digits: str

    @property
    def value(self) -> float:
        """The number."""
        return float.fromhex(self.digits)


@dataclass(frozen=True, slots=True)
class Clock:
    """`time()`."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest sample of the series of a selector, or its time."""

    selector: Selector
    reference: Reference
    timed: bool
    lookback: int


@dataclass(frozen=True, slots=True)
class Over:
    """A function over a range selector; scalars are numbers."""

    kernel: RangeKernel
    scalars: tuple[Literal, ...]
    selector: Selector
    window: int
    reference: Reference


@dataclass(frozen=True, slots=True)
class Mapped:
    """A function of each value, with numbers for scalars."""

    apply: Callable[..., Any]
    scalars: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Stamped:
    """The instant, for each series."""


@dataclass(frozen=True, slots=True)
class Operated:
    """An operator; of two vectors where there is a matching, else of a vector and a scalar.

    A comparison that is no `bool` keeps the vector's value, which of two vectors is the left one's.
    """

    op: str
    keeps: int | None
    drops_name: bool
    matching: Matching | None


@dataclass(frozen=True, slots=True)
class Set:
    """`and`, `or` or `unless`."""

    op: str
    matching: Matching


@dataclass(frozen=True, slots=True)
class Summed:
    """An aggregation whose parameter, if it has one, is a number."""

    apply: Summary
    number: Literal
    by: bool
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Missing:
    """`absent`, with the labels that its result has."""

    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AsVector:
    """`vector`."""


@dataclass(frozen=True, slots=True)
class AsScalar:
    """`scalar`."""


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """What runs by itself, on the plain engine."""

    node: nodes.Node
    lookback: int


Operation: TypeAlias = (
    Literal
    | Clock
    | Newest
    | Over
    | Mapped
    | Stamped
    | Operated
    | Set
    | Summed
    | Missing
    | AsVector
    | AsScalar
    | Alone
)
