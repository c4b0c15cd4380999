"""The distinct steps of many plans: what two plans have in common is one step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from processors.promql import nodes
from processors.promql.aggregation import Aggregated
from processors.promql.binary import Scalars, Sets, Vectors, WithScalar
from processors.promql.fusion.operations import (
    Alone,
    AsScalar,
    AsVector,
    Clock,
    Literal,
    Mapped,
    Missing,
    Newest,
    Operated,
    Operation,
    Over,
    Set,
    Stamped,
    Summed,
)
from processors.promql.grouping import Grouping
from processors.promql.matching import Pairs
from processors.promql.operators import ARITHMETIC
from processors.promql.plan import Plan
from processors.promql.selector import Selector
from processors.promql.tree import Kind


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One operation on the results of earlier steps; `node` is the same on the plain engine.

    `pairs` and `grouping` hold the label work of the node: once for whoever has this step.
    """

    operation: Operation
    inputs: tuple[int, ...]
    kind: Kind
    node: nodes.Node
    lookback: int
    pairs: Pairs | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Steps, inputs first, and the last step of each plan."""

    steps: tuple[Step, ...]
    roots: dict[Plan, int]


def program(plans: Iterable[Plan]) -> Program:
    """Takes plans apart; a plan whose result is a string is not among the roots."""
    compiler = _Compiler()
    roots = {plan: compiler.step(plan.root, plan.lookback) for plan in plans}
    return Program(tuple(compiler.steps), roots)


_Taken: TypeAlias = tuple[Operation, tuple[int, ...]]


def _literal(value: float) -> Literal:
    return Literal(float(value).hex())


class _Compiler:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._known: dict[tuple[Operation, tuple[int, ...]], int] = {}

    def step(self, node: nodes.Node, lookback: int) -> int:
        """The number of the step that computes a node."""
        found = self._taken_apart(node, lookback)
        if found is None:
            found = Alone(node, lookback), ()
        operation, inputs = found
        key = (operation, inputs)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.steps)
            self.steps.append(
                Step(
                    operation,
                    inputs,
                    node.kind,
                    node,
                    lookback,
                    node.pairs if isinstance(node, Vectors | Sets) else None,
                    node.grouping if isinstance(node, Aggregated) else None,
                )
            )
        return number

    def _taken_apart(self, node: nodes.Node, lookback: int) -> _Taken | None:
        match node:
            case nodes.Constant(float(value)):
                return _literal(value), ()
            case nodes.Now():
                return Clock(), ()
            case nodes.Instant(selector, reference, timed):
                return Newest(selector, reference, timed, lookback), ()
            case nodes.Ranged(kernel, nodes.Selected(selector, window, reference), scalars):
                numbers = self._numbers(scalars)
                if numbers is None:
                    return None
                return Over(kernel, numbers, selector, window, reference), ()
            case Scalars():
                folded = self._number(node)
                return None if folded is None else (folded, ())
        return self._of_one(node, lookback)

    def _of_one(self, node: nodes.Node, lookback: int) -> _Taken | None:
        match node:
            case nodes.ToVector(inner):
                return AsVector(), (self.step(inner, lookback),)
            case nodes.ToScalar(inner):
                return AsScalar(), (self.step(inner, lookback),)
            case nodes.Absent(inner, series):
                return Missing(series.labels[0]), (self.step(inner, lookback),)
            case nodes.Stamped(inner):
                return Stamped(), (self.step(inner, lookback),)
            case nodes.Pointwise(apply, inner, scalars):
                numbers = self._numbers(scalars)
                return None if numbers is None else self._mapped(apply, numbers, inner, lookback)
            case nodes.Clamp(nodes.Pointwise(apply, inner, scalars)):
                numbers = self._numbers(scalars)
                if numbers is None or numbers[1].value < numbers[0].value:
                    return None
                return self._mapped(apply, numbers, inner, lookback)
            case nodes.Negated(inner):
                folded = self._number(node)
                if folded is not None:
                    return folded, ()
                return self._mapped(np.negative, (), inner, lookback)
        return self._combined(node, lookback)

    def _mapped(
        self, apply: Callable[..., Any], numbers: tuple[Literal, ...], inner: nodes.Node, back: int
    ) -> _Taken | None:
        if inner.kind is not Kind.VECTOR:
            return None
        return Mapped(apply, numbers), (self.step(inner, back),)

    def _combined(self, node: nodes.Node, back: int) -> _Taken | None:
        match node:
            case WithScalar(op, vector, scalar, swapped, returns_bool):
                drops = returns_bool or op in ARITHMETIC
                keeps = None if drops else int(swapped)
                sides = (scalar, vector) if swapped else (vector, scalar)
                inputs = (self.step(sides[0], back), self.step(sides[1], back))
                return Operated(op, keeps, drops, None), inputs
            case Vectors(op, left, right, returns_bool, matching):
                drops = returns_bool or op in ARITHMETIC
                inputs = (self.step(left, back), self.step(right, back))
                return Operated(op, None if drops else 0, drops, matching), inputs
            case Sets(op, left, right, pairs):
                inputs = (self.step(left, back), self.step(right, back))
                return Set(op, pairs.matching), inputs
            case Aggregated(apply, inner, grouping, param):
                number = _literal(0.0) if param is None else self._number(param)
                if number is None:
                    return None
                summed = Summed(apply, number, grouping.by, grouping.labels)
                return summed, (self.step(inner, back),)
        return None

    def _numbers(self, scalars: Iterable[nodes.Node]) -> tuple[Literal, ...] | None:
        found = tuple(self._number(each) for each in scalars)
        known = tuple(each for each in found if each is not None)
        return known if len(known) == len(found) else None

    def _number(self, node: nodes.Node) -> Literal | None:
        """What the planner can compute: a number, or operators between numbers."""
        match node:
            case nodes.Constant(float(value)):
                return _literal(value)
            case nodes.Negated(inner) if self._number(inner) is not None:
                pass
            case Scalars(_, left, right) if self._number(left) and self._number(right):
                pass
            case _:
                return None
        with np.errstate(all="ignore"):
            folded = node.run(nodes.Moment(_NoSource(), 0, 0, (0, 0)))
        return _literal(folded) if isinstance(folded, float) else None


class _NoSource:
    """For numbers, which read nothing."""

    def select(self, selector: Selector, start: int, end: int) -> Any:
        """Never asked."""
        raise AssertionError(f"a number reads {selector}, {start}, {end}")
