"""Expressions compiled into plans: everything unsupported is refused here, and never later."""

from dataclasses import dataclass

import numpy as np

from processors.promql import nodes
from processors.promql.build import Builder
from processors.promql.columns import Source
from processors.promql.labels import Labels
from processors.promql.ordering import Sorted
from processors.promql.parser import parse
from processors.promql.ranking import Ranked
from processors.promql.reach import SelectorUse, bounded, uses
from processors.promql.tree import Expression, Kind
from processors.promql.vector import Value, Vector

__all__ = ["DEFAULT_STEP", "LOOKBACK", "Plan", "SelectorUse", "compile"]

LOOKBACK = 300_000  # Prometheus's default `--query.lookback-delta`, in milliseconds
DEFAULT_STEP = 60_000  # Prometheus's default `evaluation_interval`


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A compiled expression: pure, and fast when asked again about the same series sets."""

    text: str
    tree: Expression
    selectors: tuple[SelectorUse, ...]
    root: nodes.Node
    lookback: int

    @property
    def kind(self) -> Kind:
        """The type of the result."""
        return self.root.kind

    @property
    def fixed_times(self) -> bool:
        """Whether an absolute `@` asks for samples of a time that does not move on."""
        return any(use.fixed_at for use in self.selectors)

    def listed(self, value: Vector) -> list[tuple[Labels, float]]:
        """The present series in the order of the answer: that of labels, unless it is sorted."""
        match self.root:
            case Sorted():
                return value.items()
            case Ranked():
                return self.root.listed(value)
        return sorted(value.items())

    def evaluate(
        self, source: Source, at: int, bounds: tuple[int, int] | None = None, step: int = 0
    ) -> Value:
        """The value at an instant in milliseconds; raises EvaluationFailed.

        `bounds` and `step` are those of the range query that the instant is part of.
        """
        moment = nodes.Moment(source, at, self.lookback, bounds or (at, at), step)
        with np.errstate(all="ignore"):
            return self.root.run(moment)


def compile(expr: str, lookback: int = LOOKBACK, default_step: int = DEFAULT_STEP) -> Plan:
    """Parses and plans an expression; raises Refused.

    `default_step` is that of subqueries without one: the global evaluation interval.
    """
    tree = parse(expr)
    bounded(tree, default_step)
    return Plan(expr, tree, uses(tree, lookback), Builder(default_step).build(tree), lookback)
