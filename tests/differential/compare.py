"""Our answers in the oracle's form, and when two answers agree."""

import math

from processors.promql.errors import EvaluationFailed
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.promql.vector import Vector
from tests.differential.promtool import Answer, Labels


def ours(expr: str, seconds: int, source: MemorySource) -> Answer:
    """What our engine answers."""
    try:
        value = compile(expr).evaluate(source, seconds * 1000)
    except EvaluationFailed as fault:
        return fault.reason
    if isinstance(value, Vector):
        return value.items()
    assert isinstance(value, float)
    return [((), value)]


def agree(expr: str, mine: Answer, theirs: Answer) -> bool:
    """The same samples to the bit, or the same kind of error.

    `sum` and `avg` add in label order here and in storage order there: their last bit may differ.
    Where both sides of an operator fail, either error will do.
    """
    if isinstance(mine, str) or isinstance(theirs, str):
        return isinstance(mine, str) and isinstance(theirs, str)
    if len(mine) != len(theirs):
        return False
    loose = 1e-12 if "sum" in expr or "avg" in expr else 0.0
    pairs = zip(sorted(mine, key=_labels), sorted(theirs, key=_labels), strict=True)
    return all(a[0] == b[0] and _same(a[1], b[1], loose) for a, b in pairs)


def _labels(item: tuple[Labels, float]) -> Labels:
    return item[0]


def _same(mine: float, theirs: float, loose: float) -> bool:
    if math.isnan(mine) or math.isnan(theirs):
        return math.isnan(mine) and math.isnan(theirs)
    return mine == theirs or (loose > 0 and math.isclose(mine, theirs, rel_tol=loose))
