"""How detectors read PromQL: a vector without metric names, a scalar as a series of its own."""

import numpy as np

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
