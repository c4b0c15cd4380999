"""From the expression's tree to the nodes of a plan."""

from collections.abc import Iterator

from processors.promql import labels as label
from processors.promql import nodes
from processors.promql.aggregation import AGGREGATIONS, Aggregated
from processors.promql.binary import Scalars, Sets, Vectors, WithScalar
from processors.promql.columns import SeriesSet
from processors.promql.errors import Refused
from processors.promql.kernels.registry import POINTWISE, RANGES
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.matching import Pairs
from processors.promql.operators import ARITHMETIC, COMPARISONS, SETS
from processors.promql.selector import Match
from processors.promql.tree import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Kind,
    Negate,
    Number,
    Paren,
    Select,
    Subquery,
    Text,
    children,
)


def uses(tree: Expression) -> Iterator[Select]:
    """Every selector in the expression."""
    if isinstance(tree, Select):
        yield tree
    for child in children(tree):
        yield from uses(child)


def build(tree: Expression) -> nodes.Node:
    """The node that computes an expression."""
    match tree:
        case Number(value) | Text(value):
            return nodes.Constant(value)
        case Paren(inner):
            return build(inner)
        case Negate(inner):
            return nodes.Negated(build(inner))
        case Select(selector, offset, None):
            return nodes.Instant(selector, offset)
        case Select() | Subquery():
            raise Refused("a range vector is no result: it needs a function over it")
        case Call():
            return _call(tree)
        case Binary():
            return _binary(tree)
        case Aggregate(op, inner, by, names):
            if op not in AGGREGATIONS:
                raise Refused(f"aggregation {op!r} is not supported")
            return Aggregated(AGGREGATIONS[op], build(inner), by, names)


def _bare(tree: Expression) -> Expression:
    while isinstance(tree, Paren):
        tree = tree.inner
    return tree


def _call(call: Call) -> nodes.Node:
    name, args = call.name, call.args
    if name in RANGES:
        return _ranged(name, args[0])
    if name in POINTWISE:
        scalars = tuple(build(arg) for arg in args[1:])
        plain = nodes.Pointwise(POINTWISE[name], build(args[0]), scalars)
        return nodes.Clamp(plain) if name == "clamp" else plain
    match name:
        case "time":
            return nodes.Now()
        case "timestamp":
            return _timestamp(args[0])
        case "absent":
            return nodes.Absent(build(args[0]), SeriesSet((_promised(args[0]),)))
        case "absent_over_time":
            inner = _ranged("last_over_time", args[0])
            return nodes.Absent(inner, SeriesSet((_promised(args[0]),)))
        case "vector":
            return nodes.ToVector(build(args[0]))
        case "scalar":
            return nodes.ToScalar(build(args[0]))
    raise Refused(f"function {name!r} is not supported")


def _ranged(name: str, arg: Expression) -> nodes.Node:
    match _bare(arg):
        case Select(selector, offset, int(window)):
            return nodes.Ranged(RANGES[name], selector, window, offset)
    raise Refused(f"{name!r} is supported over a range selector only")


def _timestamp(arg: Expression) -> nodes.Node:
    match _bare(arg):
        case Select(selector, offset, None):
            return nodes.Instant(selector, offset, timed=True)
    return nodes.Stamped(build(arg))


def _promised(arg: Expression) -> Labels:
    """The labels that the selector itself names: what is absent would have carried them."""
    if not isinstance(arg, Select):
        return ()
    named: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in arg.selector.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.op is Match.EQUAL and matcher.name not in seen:
            named[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            named.pop(matcher.name, None)
    return label.of(named.items())


def _binary(tree: Binary) -> nodes.Node:
    op, left, right = tree.op, build(tree.left), build(tree.right)
    if op in SETS:
        return Sets(op, left, right, Pairs(tree.matching))
    apply = ARITHMETIC.get(op) or COMPARISONS.get(op)
    if apply is None:
        raise Refused(f"operator {op!r} is not supported")
    match left.kind, right.kind:
        case Kind.SCALAR, Kind.SCALAR:
            return Scalars(apply, left, right)
        case Kind.VECTOR, Kind.SCALAR:
            return WithScalar(op, left, right, False, tree.returns_bool)
        case Kind.SCALAR, Kind.VECTOR:
            return WithScalar(op, right, left, True, tree.returns_bool)
    return Vectors(op, left, right, tree.returns_bool, tree.matching, Pairs(tree.matching))
