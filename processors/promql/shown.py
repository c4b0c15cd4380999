"""Expressions as people read them: selectors as PromQL writes them, and the shape of a tree."""

import re

from processors.promql.labels import METRIC_NAME, quoted
from processors.promql.selector import Match, Selector
from processors.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expression,
    Matching,
    Milliseconds,
    Negate,
    Number,
    Paren,
    Select,
    Subquery,
    Text,
)

SERIES, NUMBER = "•", "#"
"""What stands in a shape for a selector and for a number."""
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def span(ms: Milliseconds) -> str:
    """A length of time as PromQL writes it: `1d`, `1h30m`, `-5s`."""
    rest, parts = abs(ms), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return ("-" if ms < 0 else "") + "".join(parts) if parts else "0s"


def selector_text(selector: Selector) -> str:
    """A selector that PromQL reads as the same one."""
    metric = selector.metric
    plain = metric is not None and _METRIC.fullmatch(metric) is not None
    matchers = list(selector.matchers)
    if plain:
        first = next(
            each
            for each in matchers
            if each.name == METRIC_NAME and each.op is Match.EQUAL and each.value
        )
        matchers.remove(first)
    inner = ",".join(
        f"{each.name if _LABEL.fullmatch(each.name) else quoted(each.name)}"
        f"{each.op}{quoted(each.value)}"
        for each in matchers
    )
    name = (metric or "") if plain else ""
    return f"{name}{{{inner}}}" if inner or not name else name


def shape(tree: Expression) -> str:
    """An expression without its metrics, labels and numbers: rules of one shape are alike."""
    match tree:
        case Number():
            return NUMBER
        case Text(value):
            return quoted(value)
        case Select(_, offset, window, at):
            ranged = "" if window is None else f"[{span(window)}]"
            return SERIES + ranged + _moved(offset) + ("" if at is None else " @")
        case Subquery(inner, back, step, offset, at):
            ranged = f"[{span(back)}:{'' if step is None else span(step)}]"
            return shape(inner) + ranged + _moved(offset) + ("" if at is None else " @")
        case Paren(inner):
            return f"({shape(inner)})"
        case Negate(inner):
            return f"-{shape(inner)}"
        case Call(name, args):
            return f"{name}({', '.join(map(shape, args))})"
        case Binary():
            how = f" {tree.op}{' bool' if tree.returns_bool else ''}{_matching(tree.matching)} "
            return shape(tree.left) + how + shape(tree.right)
        case Aggregate(op, inner, by, names, param):
            first = "" if param is None else f"{shape(param)}, "
            how = "" if by and not names else f" {'by' if by else 'without'} ({', '.join(names)})"
            return f"{op}{how}({first}{shape(inner)})"


def _moved(offset: Milliseconds) -> str:
    return f" offset {span(offset)}" if offset else ""


def _matching(matching: Matching) -> str:
    how = ""
    if matching.on or matching.labels:
        how = f" {'on' if matching.on else 'ignoring'} ({', '.join(matching.labels)})"
    if matching.cardinality is not Cardinality.ONE_TO_ONE:
        how += f" {matching.cardinality} ({', '.join(matching.include)})"
    return how
