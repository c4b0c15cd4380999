"""Our answers in the oracle's form, and when two answers agree."""

import math
import re

from processors.promql.columns import Source
from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.labels import Labels
from processors.promql.plan import compile
from processors.promql.vector import SAME_LABELS, Vector
from tests.differential.promtool import Answer
from tests.differential.samples import STEP

# What adds over series: in the order of labels here, of storage there; and what goes through
# `exp`, whose last bit Go takes from the processor's fused multiplication.
LOOSE = re.compile(r"\b(sum|avg|stddev|stdvar|exp|sinh|cosh|tanh|histogram_\w+)\b|\^")
TOLERANCE = 1e-12
# What makes a whole difference of a last bit: of it and LOOSE together, only the labels are judged.
STEPWISE = re.compile(r"%|\b(bool|floor|ceil|round|sgn|changes|resets)\b")
RANKED = re.compile(r"(topk|bottomk)\b")
# docs/promql.md, "Differences": of `timestamp(x offset d @ t)` Prometheus forgets the offset.
_SELECTOR = r'(?:[^()"]|"[^"]*"|(?:start|end)\(\))*?'
KNOWN = re.compile(rf"timestamp\(\(*{_SELECTOR}(?:offset {_SELECTOR}@|@{_SELECTOR}offset)")

# docs/promql.md, "Differences": Prometheus fails a function over a range in a subquery where label
# sets are in the same subquery at all, and not only where they meet at one step.
MEETING = re.compile(r"\[[0-9a-z]+:[0-9a-z]*\]")


def ours(
    expr: str, at: int, source: Source, bounds: tuple[int, int] | None = None, step: int = 0
) -> Answer:
    """What our engine answers at an instant in milliseconds."""
    try:
        value = compile(expr, default_step=STEP).evaluate(source, at, bounds, step)
    except (EvaluationFailed, Refused) as fault:
        return fault.reason
    if isinstance(value, Vector):
        return value.items()
    assert isinstance(value, float)
    return [((), value)]


def agree(expr: str, mine: Answer, theirs: Answer) -> bool:
    """The same samples to the bit (see LOOSE), or both an error.

    Where both sides of an operator fail, either error will do.
    """
    if KNOWN.search(expr) or ("count_values" in expr and LOOSE.search(expr)):
        return True  # count_values makes a label of a last bit
    if theirs == SAME_LABELS and MEETING.search(expr):
        return True
    if isinstance(mine, str) or isinstance(theirs, str):
        return isinstance(mine, str) and isinstance(theirs, str)
    if len(mine) != len(theirs):
        return False
    loose = TOLERANCE if LOOSE.search(expr) else 0.0
    if loose and STEPWISE.search(expr):
        loose = math.inf
    # Of equal values nothing says which are among the first k.
    order, labelled = (_value, False) if RANKED.match(expr) else (_labels, True)
    pairs = zip(sorted(mine, key=order), sorted(theirs, key=order), strict=True)
    return all((a[0] == b[0] or not labelled) and same(a[1], b[1], loose) for a, b in pairs)


def _labels(item: tuple[Labels, float]) -> Labels:
    return item[0]


def _value(item: tuple[Labels, float]) -> tuple[bool, float]:
    return math.isnan(item[1]), item[1]


def same(mine: float, theirs: float, loose: float) -> bool:
    """Whether two values are the same, or close where `loose` is not 0."""
    if loose and not (math.isfinite(mine) or math.isfinite(theirs)):
        return True  # where a sum overflows on its way, its order says to what
    if math.isnan(mine) or math.isnan(theirs):
        return math.isnan(mine) and math.isnan(theirs)
    return mine == theirs or loose == math.inf or math.isclose(mine, theirs, rel_tol=loose)
