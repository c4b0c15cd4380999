"""Nodes of a compiled plan that read, compute and aggregate; operators are in `binary`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from processors.promql.columns import Columns, SeriesSet, Source
from processors.promql.kernels.registry import RangeKernel
from processors.promql.selector import Selector
from processors.promql.tree import At, Edge, Kind
from processors.promql.vector import Value, Vector, nameless, nothing, single, some
from processors.promql.window import cut, newest

UNLABELLED = SeriesSet(((),))


@dataclass(frozen=True, slots=True)
class Moment:
    """What an evaluation sees: a source, the instant, how far an instant selector looks back.

    A range query has `bounds` and a step; at an instant both bounds are the instant.
    """

    source: Source
    at: int
    lookback: int
    bounds: tuple[int, int]
    step: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """The time that `offset` and `@` refer to."""

    offset: int = 0
    at: At = None

    def of(self, moment: Moment) -> int:
        """The time in milliseconds, as an evaluation at the moment sees it."""
        if self.at is None:
            return moment.at - self.offset
        if isinstance(self.at, int):
            return self.at - self.offset
        return moment.bounds[self.at is Edge.END] - self.offset


class Node(Protocol):
    """A step of a plan; its type is known when it is built."""

    @property
    def kind(self) -> Kind:
        """The type of what `run` returns."""
        ...

    def run(self, moment: Moment) -> Value:
        """The value at the moment."""
        ...


def vector(node: Node, moment: Moment) -> Vector:
    """Runs a node that the planner knows to be a vector."""
    value = node.run(moment)
    assert isinstance(value, Vector)
    return value


def scalar(node: Node, moment: Moment) -> float:
    """Runs a node that the planner knows to be a scalar."""
    value = node.run(moment)
    assert isinstance(value, float)
    return value


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: float | str

    @property
    def kind(self) -> Kind:
        return Kind.STRING if isinstance(self.value, str) else Kind.SCALAR

    def run(self, _: Moment) -> Value:
        return self.value


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant selector: the newest sample of each series, or its time (for `timestamp`)."""

    selector: Selector
    reference: Reference
    timed: bool = False
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        end = self.reference.of(moment)
        start = end - moment.lookback
        columns = moment.source.select(self.selector, start, end)
        times, values, present = newest(columns, start, end)
        if self.timed:
            return nameless(columns.series, times / 1000, present)
        return Vector(columns.series, values, present)


class Range(Protocol):
    """What has the samples of a range vector: a selector, or a subquery."""

    def read(self, moment: Moment) -> tuple[Columns, int, int]:
        """Columns, and the start (open) and the end (closed) of the range in them."""
        ...


@dataclass(frozen=True, slots=True)
class Selected:
    """A range selector."""

    selector: Selector
    window: int
    reference: Reference

    def read(self, moment: Moment) -> tuple[Columns, int, int]:
        end = self.reference.of(moment)
        start = end - self.window
        return moment.source.select(self.selector, start, end), start, end


@dataclass(frozen=True, slots=True)
class Ranged:
    """A function over a range, with scalar arguments."""

    kernel: RangeKernel
    range: Range
    scalars: tuple[Node, ...] = ()
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        columns, start, end = self.range.read(moment)
        window = cut(columns, start, end, moment.at)
        scalars = [scalar(node, moment) for node in self.scalars]
        present = window.counts >= self.kernel.least
        if self.kernel.check is not None and some(window.counts > 0):
            self.kernel.check(*scalars)
        if not some(present):
            return nothing()
        values = self.kernel.apply(window, *scalars)
        if self.kernel.keeps_name:
            return Vector(columns.series, values, present)
        return nameless(columns.series, values, present)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """A function of each value, with scalar arguments."""

    apply: Callable[..., Any]
    inner: Node
    scalars: tuple[Node, ...] = ()
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        inner = vector(self.inner, moment)
        scalars = [scalar(node, moment) for node in self.scalars]
        return nameless(inner.series, self.apply(inner.values, *scalars), inner.present)


@dataclass(frozen=True, slots=True)
class Clamp:
    """`clamp`, which has no result at all where its bounds cross."""

    inner: Pointwise
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        low, high = (scalar(node, moment) for node in self.inner.scalars)
        if high < low:
            vector(self.inner.inner, moment)  # whose errors count even so
            return nothing()
        return self.inner.run(moment)


@dataclass(frozen=True, slots=True)
class Now:
    """`time()`."""

    kind: Kind = Kind.SCALAR

    def run(self, moment: Moment) -> float:
        return moment.at / 1000


@dataclass(frozen=True, slots=True)
class Bound:
    """`start()`, `end()`, `range()` and `step()` of the query, in seconds."""

    name: str
    kind: Kind = Kind.SCALAR

    def run(self, moment: Moment) -> float:
        start, end = moment.bounds
        match self.name:
            case "start":
                return start / 1000
            case "end":
                return end / 1000
            case "range":
                return (end - start) / 1000
        return moment.step / 1000 if start != end else 0.0


@dataclass(frozen=True, slots=True)
class Extreme:
    """`max_of` and `min_of`: Go's Max and Min, in which an infinity prevails over NaN."""

    least: bool
    left: Node
    right: Node
    kind: Kind = Kind.SCALAR

    def run(self, moment: Moment) -> float:
        sides = (scalar(self.left, moment), scalar(self.right, moment))
        prevails = -np.inf if self.least else np.inf
        if prevails in sides:
            return float(prevails)
        return float((np.minimum if self.least else np.maximum)(*sides))


@dataclass(frozen=True, slots=True)
class Stamped:
    """`timestamp` of what is no selector: the instant itself."""

    inner: Node
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        inner = vector(self.inner, moment)
        times = np.full(len(inner.values), moment.at / 1000)
        return nameless(inner.series, times, inner.present)


@dataclass(frozen=True, slots=True)
class Absent:
    """`absent` and `absent_over_time`: one, under the selector's own labels, where nothing is."""

    inner: Node
    series: SeriesSet
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        return nothing() if some(vector(self.inner, moment).present) else single(self.series, 1.0)


@dataclass(frozen=True, slots=True)
class ToVector:
    """`vector`: a scalar as a series without labels."""

    inner: Node
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        return single(UNLABELLED, scalar(self.inner, moment))


@dataclass(frozen=True, slots=True)
class ToScalar:
    """`scalar`: the value of the only series, else NaN."""

    inner: Node
    kind: Kind = Kind.SCALAR

    def run(self, moment: Moment) -> float:
        inner = vector(self.inner, moment)
        rows = np.flatnonzero(inner.present)
        return float(inner.values[rows[0]]) if rows.size == 1 else float("nan")


@dataclass(frozen=True, slots=True)
class Negated:
    """Unary minus."""

    inner: Node

    @property
    def kind(self) -> Kind:
        return self.inner.kind

    def run(self, moment: Moment) -> Value:
        value = self.inner.run(moment)
        if isinstance(value, Vector):
            return nameless(value.series, -value.values, value.present)
        assert isinstance(value, float)
        return -value
