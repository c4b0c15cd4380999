"""How detectors read PromQL: a vector without metric names, a scalar as a series of its own."""

from dataclasses import dataclass

import numpy as np

from processors.detect.kind import Compile
from processors.promql.columns import Floats, Rows, Source
from processors.promql.nodes import UNLABELLED
from processors.promql.plan import Plan
from processors.promql.vector import Vector, single


def read(plan: Plan, source: Source, at: int) -> Vector:
    """The plan's value at an instant (ms); raises EvaluationFailed."""
    value = plan.evaluate(source, at)
    if isinstance(value, Vector):
        return value.unnamed()
    assert isinstance(value, float)  # a detector compiles no strings
    return single(UNLABELLED, value)


def present(vector: Vector, rows: Rows) -> tuple[Rows, Floats]:
    """Of the vector's present series: their rows in a table, and their values."""
    here = np.flatnonzero(vector.present)
    return rows[here], vector.values[here]


@dataclass(frozen=True, slots=True)
class Results:
    """An expression whose values are results; a sample that is looked at twice is one result."""

    values: Plan
    times: Plan

    @staticmethod
    def of(expr: str, compile_: Compile) -> "Results":
        """Compiles both; raises `Refused`."""
        return Results(compile_(expr), compile_(f"timestamp({expr})"))

    @property
    def plans(self) -> tuple[Plan, ...]:
        """What it reads."""
        return (self.values, self.times)

    def read(self, source: Source, at: int) -> tuple[Vector, Floats]:
        """The vector at an instant (ms), and the time (ms) of each series' result.

        A selector's result has its sample's time, that of any other expression is the instant.
        """
        vector, times = read(self.values, source, at), read(self.times, source, at)
        if times.series is vector.series:
            return vector, np.round(times.values * 1000)
        known = dict(times.items())
        when = [known.get(labels, 0.0) * 1000 for labels in vector.series.labels]
        return vector, np.round(np.array(when))
