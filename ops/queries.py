"""PromQL over history: the samples are fetched once, the engine is the detector's own."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ops.history.clickhouse import History
from ops.history.samples import select
from ops.services import QueryFailed, QueryResult, Series
from ops.settings import Settings
from processors.promql.columns import Columns
from processors.promql.errors import EvaluationFailed
from processors.promql.errors import Refused as BadExpression
from processors.promql.memory import columns
from processors.promql.plan import DEFAULT_STEP, LOOKBACK, Plan, compile
from processors.promql.selector import Selector
from processors.promql.vector import Vector
from schemas.errors import Refused
from schemas.labels import labels_of

MOST_POINTS = 11_000
"""Steps of a range query, as Prometheus limits them."""
MOST_SECONDS = 30.0
MOST_CELLS = 50_000_000
"""Series times the samples of the longest: what the engine's columns take, 16 bytes each."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a query leaves open: how far an instant looks back, and the step of subqueries (ms)."""

    lookback: int = LOOKBACK
    step: int = DEFAULT_STEP


def defaults_of(settings: Settings) -> Defaults:
    """As rules have them too."""
    lookback, step = settings.lookback_delta, settings.evaluation_interval
    return Defaults(int(lookback.total_seconds() * 1000), int(step.total_seconds() * 1000))


class _Fetched:
    """What history holds for a plan's selectors: around the instants, and at fixed times."""

    def __init__(self, history: History, plan: Plan, start: int, end: int) -> None:
        self._spans = {
            use.selector: [
                (low, high, _columns(history, use.selector, low, high))
                for low, high in use.spans(start, end)
            ]
            for use in plan.selectors
        }

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """The engine bounds what it reads by itself."""
        spans = self._spans[selector]
        return next(held for low, high, held in spans if low <= start and end <= high)


def query(history: History, expr: str, at: int, defaults: Defaults = Defaults()) -> QueryResult:
    """The value at `at` (ms). Raises `Refused`, `QueryFailed` or `HistoryError`."""
    plan = _compiled(expr, defaults)
    value = _evaluated(plan, _Fetched(history, plan, at, at), at, (at, at), 0)
    if isinstance(value, Vector):
        items = plan.listed(value)
        return QueryResult("vector", at, [(dict(labels), found) for labels, found in items])
    if isinstance(value, str):
        raise Refused("the expression is a string; only vectors and scalars can be queried")
    return QueryResult("scalar", at, [({}, float(value))])


def query_range(
    history: History,
    expr: str,
    start: int,
    end: int,
    step: int,
    defaults: Defaults = Defaults(),
    clock: Callable[[], float] = time.monotonic,
) -> Sequence[Series]:
    """The values at start, start + step, … up to end (ms); raises what `query` raises."""
    if step <= 0 or end < start:
        raise Refused("step must be positive, and end not before start")
    if (end - start) // step > MOST_POINTS:
        raise Refused(f"more than {MOST_POINTS} points: take a longer step")
    plan, ends = _compiled(expr, defaults), clock() + MOST_SECONDS
    source = _Fetched(history, plan, start, end)
    found: dict[tuple[tuple[str, str], ...], list[tuple[int, float]]] = {}
    for at in range(start, end + 1, step):
        if clock() > ends:
            raise QueryFailed(f"took longer than {MOST_SECONDS:.0f} s: take a longer step")
        value = _evaluated(plan, source, at, (start, end), step)
        items = value.items() if isinstance(value, Vector) else [((), float(value))]
        for labels, number in items:
            found.setdefault(labels, []).append((at, number))
    return [(dict(labels), points) for labels, points in sorted(found.items())]


def _compiled(expr: str, defaults: Defaults) -> Plan:
    try:
        return compile(expr, defaults.lookback, defaults.step)
    except BadExpression as fault:
        raise Refused(str(fault)) from fault


def _evaluated(
    plan: Plan, source: _Fetched, at: int, bounds: tuple[int, int], step: int
) -> Vector | float | str:
    try:
        return plan.evaluate(source, at, bounds, step)
    except EvaluationFailed as fault:
        raise QueryFailed(str(fault)) from fault


def _columns(history: History, selector: Selector, start: int, end: int) -> Columns:
    matchers = [(each.name, str(each.op), each.value) for each in selector.matchers]
    found = select(history, matchers, start, end)
    labels = [labels_of(_text(each)) for each in found.labels]
    # The engine adds and compares in label order, whatever order history answers in.
    order = sorted(range(len(labels)), key=labels.__getitem__)
    rank = np.empty(len(labels), np.intp)
    rank[order] = np.arange(len(labels))
    index = rank[found.series]
    by_row = np.argsort(index, kind="stable")
    longest = int(np.bincount(index).max(initial=0))
    if len(labels) * longest > MOST_CELLS:
        raise Refused(
            f"{len(labels)} series of up to {longest} samples are more than a query may hold:"
            " narrow the selector or the range"
        )
    return columns(
        [labels[row] for row in order], index[by_row], found.times[by_row], found.values[by_row]
    )


def _text(labels: Mapping[str, str]) -> dict[str, str]:
    return {str(name): str(value) for name, value in labels.items()}
