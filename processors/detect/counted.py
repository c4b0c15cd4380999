"""PromQL as a sum of counters: what an expression counts, if it counts anything.

Wherever the tree has a selector, be it under `rate` or `increase` or bare, stands one that says
what is counted of its samples; only what adds up over time may stand around it.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from processors.promql import labels as label
from processors.promql.build import bare
from processors.promql.errors import Refused
from processors.promql.labels import METRIC_NAME
from processors.promql.parser import parse
from processors.promql.selector import Selector
from processors.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Negate,
    Number,
    Paren,
    Select,
)


class How(StrEnum):
    """What is counted of a series' samples."""

    GROWTH = "growth"
    SUM = "sum"
    NUMBER = "number"


_CALLS = {
    "rate": How.GROWTH,
    "irate": How.GROWTH,
    "increase": How.GROWTH,
    "sum_over_time": How.SUM,
    "count_over_time": How.NUMBER,
}


@dataclass(frozen=True, slots=True)
class Counted(Selector):
    """A selector in place of which stands what its series counted; `plain` is what is selected."""

    plain: Selector = field(default=Selector(()))
    how: How = How.GROWTH


def counting(tree: Expression) -> Expression:
    """The tree with increases for selectors; refuses what does not add up over time."""
    match tree:
        case Select():
            return _leaf(tree, How.GROWTH)
        case Call(name, (arg,)) if name in _CALLS and isinstance(inner := bare(arg), Select):
            return _leaf(inner, _CALLS[name])
        case Call("vector", (Number(0.0),)):
            return tree
        case Call("label_replace" | "label_join", (first, *rest)):
            return Call(tree.name, (counting(first), *rest))
        case Paren(inner) | Negate(inner) | Aggregate("sum", inner):
            return replace(tree, inner=counting(inner))
        case Binary("+" | "-" | "or", left, right):
            return replace(tree, left=counting(left), right=counting(right))
        case Binary("*", Number(), right):
            return replace(tree, right=counting(right))
        case Binary("*" | "/", left, Number()):
            return replace(tree, left=counting(left))
        case Call(name) | Aggregate(name) | Binary(name):
            raise Refused(f"{name!r} does not add up over time")
    raise Refused("it is no sum of counters")


def _leaf(select: Select, how: How) -> Select:
    if select.at is not None or select.offset:
        raise Refused("a counter is counted as of now: without offset and @")
    return Select(Counted(select.selector.matchers, select.selector, how))


def grouped(tree: Expression) -> bool:
    """Whether the expression says by which labels to sum."""
    match tree:
        case Aggregate():
            return True
        case Paren(inner) | Negate(inner):
            return grouped(inner)
        case Binary(left=left, right=right):
            return grouped(left) or grouped(right)
        case Call(args=args):
            return any(grouped(arg) for arg in args)
    return False


def counted(tree: Expression) -> list[Counted]:
    match tree:
        case Select(Counted() as selector):
            return [selector]
        case Paren(inner) | Negate(inner) | Aggregate(inner=inner):
            return counted(inner)
        case Binary(left=left, right=right):
            return counted(left) + counted(right)
        case Call(args=args):
            return [each for arg in args for each in counted(arg)]
    return []


def latency(histogram: str, threshold: float) -> tuple[str, str]:
    """The counters of a classic histogram as PromQL: at most `threshold` (s), and all.

    `histogram` is a selector by the histogram's bare name. Raises Refused.
    """
    tree = bare(parse(histogram))
    if not isinstance(tree, Select) or tree.window is not None or not tree.selector.metric:
        raise Refused("must be a selector that names one histogram")
    name = tree.selector.metric.removesuffix("_bucket")
    others = [
        f"{_name(each.name)}{each.op}{label.quoted(each.value)}"
        for each in tree.selector.matchers
        if each.name != METRIC_NAME
    ]

    def written(bound: str) -> str:
        le = f"le=~{label.quoted(bound)}"
        return (
            "{" + ", ".join([f"{METRIC_NAME}={label.quoted(name + '_bucket')}", le, *others]) + "}"
        )

    return written(_bound(threshold)), written(r"\+Inf")


def _bound(threshold: float) -> str:
    """A pattern for a bucket's bound, which clients write as 1, 1.0 or 0.250."""
    digits = re.escape(f"{threshold:f}".rstrip("0").rstrip("."))
    return f"{digits}0*" if r"\." in digits else rf"{digits}(\.0+)?"


def _name(name: str) -> str:
    return name if re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) else label.quoted(name)
