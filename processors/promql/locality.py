"""Whether an expression stays within one instance: what may be decided where its samples are.

A partition of the metrics topic holds all series of an instance. An expression is local when its
value over everything is the union of its values over each instance alone, and its series keep the
label that tells the instances apart.

What is assumed of raw series: that they carry `instance`. One without it lies where its producer's
batches lie, and is treated as though the producer's id were its instance. Series that rules record
without `instance` lie elsewhere than what they were made of: `spanning` names them.

A rule that fails (many-to-many matching, a label set twice) fails for all instances where it is
evaluated, and for no others.
"""

from collections.abc import Collection
from dataclasses import dataclass

from processors.promql.kernels.registry import POINTWISE, RANGES
from processors.promql.labels import METRIC_NAME
from processors.promql.operators import SETS
from processors.promql.selector import Selector
from processors.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expression,
    Matching,
    Negate,
    Number,
    Paren,
    Select,
    Subquery,
    Text,
)

INSTANCE = "instance"
_CONSTANTS = frozenset({"time", "pi"})
_ROW_WISE = frozenset(
    {
        "sort",
        "sort_by_label",
        "sort_by_label_desc",
        "sort_desc",
        "timestamp",
    }
)
"""Beside those of the registry."""
_RELABELS = frozenset({"label_join", "label_replace"})
_CHOOSE = frozenset({"bottomk", "limit_ratio", "limitk", "topk"})
"""Aggregations whose series keep their labels."""


@dataclass(frozen=True, slots=True)
class Locality:
    """What is known of an expression; `why` says what keeps it from being local, or is empty.

    `within`: each series of the result depends on one instance's samples alone. `carries`: each
    has the label `instance`. `constant`: it reads no samples, and is the same everywhere.
    """

    within: bool
    carries: bool
    constant: bool = False
    why: str = ""

    @property
    def local(self) -> bool:
        """Whether the instances may be evaluated apart, and no result is lost, made or doubled."""
        return self.within and self.carries


_CONSTANT = Locality(within=False, carries=False, constant=True, why="it reads no samples")
_LOCAL = Locality(within=True, carries=True)


def within_instance(tree: Expression, spanning: Collection[str] = ()) -> bool:
    """Whether every series of the result depends on the samples of one instance only."""
    return locality(tree, spanning).within


def carries_instance(tree: Expression, spanning: Collection[str] = ()) -> bool:
    """Whether every series of the result keeps the label `instance`."""
    return locality(tree, spanning).carries


def locality(tree: Expression, spanning: Collection[str] = ()) -> Locality:
    """What is known of an expression; never says local of one that is not."""
    match tree:
        case Number() | Text():
            return _CONSTANT
        case Paren(inner) | Negate(inner) | Subquery(inner=inner):
            return locality(inner, spanning)
        case Select(selector):
            return _selected(selector, spanning)
        case Call():
            return _called(tree, spanning)
        case Binary():
            return _between(tree, spanning)
        case Aggregate():
            return _aggregated(tree, spanning)


def _selected(selector: Selector, spanning: Collection[str]) -> Locality:
    named = [each for each in selector.matchers if each.name == METRIC_NAME]
    if not all(each.accepts("") for each in selector.matchers if each.name == INSTANCE):
        return _LOCAL
    for name in sorted(spanning):
        if all(each.accepts(name) for each in named):
            why = f"it reads {name}, which is recorded without the label instance"
            return Locality(within=True, carries=False, why=why)
    return _LOCAL


def _called(call: Call, spanning: Collection[str]) -> Locality:
    name = call.name
    if name in _CONSTANTS and not call.args:
        return _CONSTANT
    every = [locality(arg, spanning) for arg in call.args]
    series = [each for each in every if not each.constant]
    if not series:
        return _spans(f"{name}() makes a series of no instance's samples")
    joins = name.startswith("histogram_")
    row_wise = name in RANGES or name in POINTWISE or name in _ROW_WISE or name in _RELABELS
    if len(series) > 1 or not (row_wise or joins):
        return _spans(f"{name}() looks at series of different instances")
    found = series[0]
    if joins and found.within and not found.carries:
        return _spans(found.why)
    if name not in _RELABELS and name != "histogram_quantiles":
        return found
    if call.args[1] == Text(INSTANCE):
        why = found.why or f"{name}() writes the label instance"
        return Locality(found.within, carries=False, why=why)
    return found


def _between(tree: Binary, spanning: Collection[str]) -> Locality:
    left, right = locality(tree.left, spanning), locality(tree.right, spanning)
    if left.constant and right.constant:
        return _CONSTANT
    if left.constant or right.constant:
        return right if left.constant else left
    keeps = _keeps(tree.matching)
    within = left.within and right.within and left.carries and right.carries and keeps
    why = left.why or right.why
    if not keeps:
        why = f"{tree.op} matches series of different instances"
    return Locality(within, _result_carries(tree, left, right), why="" if within else why)


def _keeps(matching: Matching) -> bool:
    """Whether series match only within an instance."""
    return (INSTANCE in matching.labels) is matching.on


def _result_carries(tree: Binary, left: Locality, right: Locality) -> bool:
    matching = tree.matching
    if tree.op in SETS:
        return left.carries and (right.carries or tree.op != "or")
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        filled = matching.fill_left is not None or matching.fill_right is not None
        return left.carries and _keeps(matching) and (right.carries or not filled)
    many = right if matching.cardinality is Cardinality.ONE_TO_MANY else left
    if matching.fill_left is not None or matching.fill_right is not None:
        return left.carries and right.carries and _keeps(matching)
    return many.carries and (INSTANCE not in matching.include or _keeps(matching))


def _aggregated(tree: Aggregate, spanning: Collection[str]) -> Locality:
    inner = locality(tree.inner, spanning)
    keeps = (INSTANCE in tree.labels) is tree.by
    carries = inner.carries and (keeps or tree.op in _CHOOSE) and tree.param != Text(INSTANCE)
    if tree.param is not None and not locality(tree.param, spanning).constant:
        why = f"the parameter of {tree.op} depends on samples"
        return Locality(within=False, carries=carries, why=why)
    if not keeps:
        return Locality(
            within=False, carries=carries, why=f"{tree.op} joins series of different instances"
        )
    why = inner.why or ("" if carries else f"{tree.op} writes the label instance")
    return Locality(inner.within and inner.carries, carries, why=why)


def _spans(why: str) -> Locality:
    return Locality(within=False, carries=False, why=why)
