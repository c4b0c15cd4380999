"""Expressions compiled into plans: everything unsupported is refused here, and never later."""

from dataclasses import dataclass

import numpy as np

from processors.promql import nodes
from processors.promql.build import build, uses
from processors.promql.columns import Source
from processors.promql.parser import parse
from processors.promql.selector import Selector
from processors.promql.tree import Expression, Kind
from processors.promql.vector import Value

LOOKBACK = 300_000  # Prometheus's default `--query.lookback-delta`, in milliseconds


@dataclass(frozen=True, slots=True)
class SelectorUse:
    """A selector and how far back from the instant it needs samples, in milliseconds."""

    selector: Selector
    reach_ms: int


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

    def evaluate(self, source: Source, at: int) -> Value:
        """The value at an instant in milliseconds; raises EvaluationFailed."""
        with np.errstate(all="ignore"):
            return self.root.run(nodes.Moment(source, at, self.lookback))


def compile(expr: str, lookback: int = LOOKBACK) -> Plan:
    """Parses and plans an expression; raises Refused."""
    tree = parse(expr)
    reach: dict[Selector, int] = {}
    for use in uses(tree):
        back = use.offset + (lookback if use.window is None else use.window)
        reach[use.selector] = max(reach.get(use.selector, 0), back)
    selectors = tuple(SelectorUse(selector, back) for selector, back in reach.items())
    return Plan(expr, tree, selectors, build(tree), lookback)
