"""Windows and partials on a log's clock, and the raw engine that they are compared with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from processors.limits import LIMITS
from processors.partials.planning import long_uses, planned
from processors.partials.spans import LATENESS, MINUTE
from processors.partials.store import Partials
from processors.promql.columns import Columns
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import Plan, compile
from processors.promql.selector import Selector
from processors.promql.vector import Vector
from processors.windows import Windows
from schemas.metrics import metric_batch
from schemas.stage import StateChange

Sample = tuple[Labels, int, float]


def series(name: str = "x", **labels: str) -> Labels:
    """A label set."""
    return tuple(sorted({"__name__": name, "instance": "a", **labels}.items()))


@dataclass(frozen=True)
class Seen:
    """The source that long nodes read."""

    windows: Windows
    partials: Partials

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        return self.windows.select(selector, start, end)


class Engine:
    """Takes samples as a detector does, and evaluates expressions that reach far back."""

    def __init__(self, *exprs: str, limit: int = LIMITS.partial_bytes, plan: int = 1) -> None:
        self.plans = {expr: planned(compile(expr)) for expr in exprs}
        self.windows = Windows(use for plan in self.plans.values() for use in plan.selectors)
        self.state: dict[str, bytes] = {}
        self.partials = Partials()
        self.plan, self.limit = plan, limit
        self.adopt()

    def adopt(self) -> None:
        uses = [use for plan in self.plans.values() for use in long_uses(plan)]
        self.partials.adopt(uses, self.plan, self.limit)

    def take(self, now: int, samples: Iterable[Sample] = ()) -> list[StateChange]:
        """Samples appended at `now`; those that are too late are left out."""
        self.partials.close(self.windows, now)
        for labels, at, value in samples:
            if now - LATENESS < at <= now:
                batch = metric_batch("a", [labels], [value], [at])
                self.windows.add(batch, np.array([at]), now)
        changes = self.partials.changes()
        for change in changes:
            if change.value is None:
                self.state.pop(change.key, None)
            else:
                self.state[change.key] = change.value
        return changes

    def restored(self, log: Sequence[tuple[int, Sequence[Sample]]]) -> "Engine":
        """Another engine with this one's checkpoint, its raw windows read from the log again."""
        other = Engine(*self.plans, limit=self.limit, plan=self.plan)
        other.partials = Partials()
        for key, value in self.state.items():
            other.partials.restore(key, value)
        other.adopt()
        other.state = dict(self.state)
        for now, samples in log:
            other.take(now, samples)
        return other

    def value(self, expr: str, at: int) -> dict[Labels, float]:
        return answer(self.plans[expr], Seen(self.windows, self.partials), at)


def answer(plan: Plan, source: object, at: int) -> dict[Labels, float]:
    """An expression's value at an instant by series."""
    found = plan.evaluate(source, at)  # type: ignore[arg-type]
    assert isinstance(found, Vector)
    return dict(found.items())


def raw(expr: str, samples: Iterable[Sample], at: int) -> dict[Labels, float]:
    """The same by the raw engine, which has every sample."""
    rows: dict[Labels, dict[int, float]] = {}
    for labels, time, value in samples:
        rows.setdefault(labels, {}).setdefault(time, value)
    source = MemorySource.of((labels, sorted(row.items())) for labels, row in sorted(rows.items()))
    return answer(compile(expr), source, at)


def minute(at: int) -> int:
    """The whole minute at or before a time."""
    return at // MINUTE * MINUTE
