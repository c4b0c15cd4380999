"""The door to promql-parser: text in, our own tree out; what we do not serve is refused by name."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import promql_parser as rust

from processors.promql.errors import Refused
from processors.promql.labels import METRIC_NAME
from processors.promql.selector import Match, Matcher, Selector
from processors.promql.tree import (
    Aggregate,
    At,
    Binary,
    Call,
    Cardinality,
    Edge,
    Expression,
    Matching,
    Milliseconds,
    Negate,
    Number,
    Paren,
    Select,
    Subquery,
    Text,
    children,
)

_MATCH = {
    "MatchOp.Equal": Match.EQUAL,
    "MatchOp.NotEqual": Match.NOT_EQUAL,
    "MatchOp.Re": Match.REGEX,
    "MatchOp.NotRe": Match.NOT_REGEX,
}
_CARDINALITY = {
    "VectorMatchCardinality.OneToOne": Cardinality.ONE_TO_ONE,
    "VectorMatchCardinality.ManyToOne": Cardinality.MANY_TO_ONE,
    "VectorMatchCardinality.OneToMany": Cardinality.ONE_TO_MANY,
    "VectorMatchCardinality.ManyToMany": Cardinality.ONE_TO_ONE,
}

# The parser recurses without a bound: at a few thousand levels it takes the process with it.
_LARGEST = 1000
_DEEPEST = 200  # two Python frames a level, of the thousand there are
_TOO_DEEP = f"expression is nested more than {_DEEPEST} deep"
_AT = re.compile(r"tv_sec: (-?\d+),\s*tv_nsec: (\d+)")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""")
_NESTING = re.compile(r"[-+*/%^=<>!(\[]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


def parse(text: str) -> Expression:
    """Reads an expression; raises Refused."""
    if len(_NESTING.findall(_QUOTED.sub("", text))) > _LARGEST:
        raise Refused(f"expression is too large: more than {_LARGEST} operators and parentheses")
    try:
        return _shallow(_tree(rust.parse(text)))
    except Refused:
        raise
    except (ValueError, OverflowError) as fault:
        raise Refused(_beyond(text) or str(fault)) from fault
    except RecursionError as fault:
        raise Refused(_TOO_DEEP) from fault
    except BaseException as fault:
        # The parser panics on a few absurd numbers; its exception is no Exception, and has no name.
        if type(fault).__name__ != "PanicException":
            raise
        raise Refused(f"the parser gave up: {fault}") from fault


# What Prometheus has behind flags and the parser cannot read: it would say "invalid query" only.
_BEYOND = (
    (re.compile(r"[\])}\w]\s+(anchored|smoothed)\b"), "the {} modifier is not supported"),
    (
        re.compile(r"\[[^\]]*([-+*/%^(])[^\]]*\]|\boffset\s*[-+]?\s*(\()", re.IGNORECASE),
        "arithmetic in durations is not supported: write the duration out",
    ),
    (re.compile(r"(<\/|>\/)"), "the {} operator is for native histograms: not supported"),
)


def _beyond(text: str) -> str | None:
    """The reason by name where a query that cannot be parsed uses what only flags switch on."""
    bare = _QUOTED.sub('""', text)
    for form, reason in _BEYOND:
        found = form.search(bare)
        if found:
            return reason.format(found[1])
    return None


def _shallow(tree: Expression) -> Expression:
    level, depth = [tree], 0
    while level:
        depth += 1
        level = [child for each in level for child in children(each)]
    if depth > _DEEPEST:
        raise Refused(_TOO_DEEP)
    return tree


# The parser's objects are typed `Any` in its own stubs; they end in this file.
def _tree(node: Any) -> Expression:
    reader = _READERS.get(type(node).__name__)
    if reader is None:
        raise Refused(f"{type(node).__name__} is not supported")
    return reader(node)


def _milliseconds(span: timedelta | None) -> Milliseconds:
    return 0 if span is None else span // timedelta(milliseconds=1)


def _at(node: Any) -> At:
    kind = str(node.at.type)
    if kind != "AtModifierType.At":
        return Edge.START if kind == "AtModifierType.Start" else Edge.END
    # Its own attribute is a datetime, which has no times before 1970 and none after 9999.
    seconds, nanoseconds = map(int, _AT.findall(repr(node)[-600:])[-1])
    at = seconds * 1000 + (nanoseconds + 500_000) // 1_000_000
    if abs(at) >= 1 << 62:
        raise Refused("timestamp out of bounds for @ modifier")
    return at


def _select(node: Any, window: Milliseconds | None = None) -> Select:
    if node.matchers.or_matchers:
        raise Refused("`or` between matchers is not PromQL")
    matchers = [
        Matcher(each.name, _MATCH[str(each.op)], each.value) for each in node.matchers.matchers
    ]
    if node.name is not None:
        matchers.insert(0, Matcher(METRIC_NAME, Match.EQUAL, node.name))
    at = None if node.at is None else _at(node)
    return Select(Selector(tuple(matchers)), _milliseconds(node.offset), window, at)


def _range(node: Any) -> Select:
    return _select(node.vector_selector, _milliseconds(node.range))


def _subquery(node: Any) -> Subquery:
    return Subquery(
        _tree(node.expr),
        _milliseconds(node.range),
        None if node.step is None else _milliseconds(node.step),
        _milliseconds(node.offset),
        None if node.at is None else _at(node),
    )


def _call(node: Any) -> Call:
    if node.func.name == "info" and len(node.args) > 1 and getattr(node.args[1], "name", None):
        raise Refused("expected label selectors only, got vector selector instead")
    return Call(node.func.name, tuple(_tree(arg) for arg in node.args))


def _binary(node: Any) -> Binary:
    left, right = _tree(node.lhs), _tree(node.rhs)
    modifier = node.modifier
    if modifier is None:
        return Binary(str(node.op), left, right)
    by, fill = modifier.matching, modifier.fill_values
    matching = Matching(
        on=by is not None and str(by.type) == "LabelModifierType.Include",
        labels=() if by is None else tuple(by.labels),
        cardinality=_CARDINALITY[str(modifier.card)],
        include=tuple(modifier.group_labels or ()),
        fill_left=None if fill is None else fill.lhs,
        fill_right=None if fill is None else fill.rhs,
    )
    return Binary(str(node.op), left, right, modifier.return_bool, matching)


def _aggregate(node: Any) -> Aggregate:
    param = None if node.param is None else _tree(node.param)
    modifier = node.modifier
    if modifier is None:
        return Aggregate(str(node.op), _tree(node.expr), param=param)
    by = str(modifier.type) == "AggModifierType.By"
    return Aggregate(str(node.op), _tree(node.expr), by, tuple(modifier.labels), param)


_READERS: dict[str, Callable[[Any], Expression]] = {
    "NumberLiteral": lambda node: Number(node.val),
    "StringLiteral": lambda node: Text(node.val),
    "VectorSelector": _select,
    "MatrixSelector": _range,
    "SubqueryExpr": _subquery,
    "ParenExpr": lambda node: Paren(_tree(node.expr)),
    "UnaryExpr": lambda node: Negate(_tree(node.expr)),
    "Call": _call,
    "BinaryExpr": _binary,
    "AggregateExpr": _aggregate,
}
