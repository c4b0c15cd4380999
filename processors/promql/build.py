"""From the expression's tree to the nodes of a plan."""

from dataclasses import dataclass

from processors.promql import labels as label
from processors.promql import nodes
from processors.promql.aggregation import AGGREGATIONS, Aggregated
from processors.promql.binary import Scalars, Sets, Vectors, WithScalar
from processors.promql.buckets import fraction, quantile
from processors.promql.columns import SeriesSet
from processors.promql.counting import Counted
from processors.promql.errors import Refused
from processors.promql.filling import Filled
from processors.promql.grouping import Grouping
from processors.promql.histograms import Histogram, Quantiles
from processors.promql.info import Info, matchers, metadata
from processors.promql.kernels.registry import POINTWISE, RANGES
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.matching import Pairs
from processors.promql.operators import ARITHMETIC, COMPARISONS, SETS
from processors.promql.ordering import ByLabels, Sorted, falling, rising
from processors.promql.ranking import ORDERS, Ranked, Sampled
from processors.promql.relabel import Relabelled, joining, replacing
from processors.promql.selector import Match
from processors.promql.subquery import Stepped
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
)

DATES = frozenset(
    {"minute", "hour", "month", "year", "days_in_month"}
    | {"day_of_week", "day_of_month", "day_of_year"}
)
BOUNDS = frozenset({"start", "end", "range", "step"})


def bare(tree: Expression) -> Expression:
    """An argument without its parentheses: Prometheus takes them off too."""
    while isinstance(tree, Paren):
        tree = tree.inner
    return tree


def text(tree: Expression) -> str:
    """A string argument, which the parser has seen to."""
    literal = bare(tree)
    assert isinstance(literal, Text)
    return literal.value


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes nodes; `default_step` is that of subqueries without one."""

    default_step: int

    def build(self, tree: Expression) -> nodes.Node:
        """The node that computes an expression."""
        match tree:
            case Number(value) | Text(value):
                return nodes.Constant(value)
            case Paren(inner):
                return self.build(inner)
            case Negate(inner):
                return nodes.Negated(self.build(inner))
            case Select(selector, offset, None, at):
                return nodes.Instant(selector, nodes.Reference(offset, at))
            case Select() | Subquery():
                raise Refused("a range vector is no result: it needs a function over it")
            case Call():
                return self.call(tree)
            case Binary():
                return self.binary(tree)
            case Aggregate():
                return self.aggregate(tree)

    def call(self, call: Call) -> nodes.Node:
        """A function over a range, of each value, or of another kind."""
        name, args = call.name, tuple(bare(arg) for arg in call.args)
        if name in RANGES:
            return self.ranged(name, args)
        if name in DATES and not args:
            return nodes.Pointwise(POINTWISE[name], nodes.ToVector(nodes.Now()))
        if name in POINTWISE:
            scalars = tuple(self.build(arg) for arg in args[1:])
            plain = nodes.Pointwise(POINTWISE[name], self.build(args[0]), scalars)
            return nodes.Clamp(plain) if name == "clamp" else plain
        if name in BOUNDS:
            return nodes.Bound(name)
        if name == "info":
            return self.info(Call(name, args))
        return self.shaped(name, args)

    def shaped(self, name: str, args: tuple[Expression, ...]) -> nodes.Node:
        """Functions of a shape of their own."""
        match name:
            case "time":
                return nodes.Now()
            case "pi":
                return nodes.Constant(3.141592653589793)
            case "timestamp":
                return self.timestamp(args[0])
            case "absent":
                return nodes.Absent(self.build(args[0]), SeriesSet((_promised(args[0]),)))
            case "absent_over_time":
                inner = self.ranged("last_over_time", args)
                return nodes.Absent(inner, SeriesSet((_promised(args[0]),)))
            case "vector":
                return nodes.ToVector(self.build(args[0]))
            case "scalar":
                return nodes.ToScalar(self.build(args[0]))
            case "max_of" | "min_of":
                return nodes.Extreme(name == "min_of", self.build(args[0]), self.build(args[1]))
        return self.relabelled(name, args)

    def relabelled(self, name: str, args: tuple[Expression, ...]) -> nodes.Node:
        """Functions of labels and of the order of series."""
        match name:
            case "label_replace":
                target, replacement, source, pattern = (text(arg) for arg in args[1:])
                rewrite = replacing(target, replacement, source, pattern)
                return Relabelled(rewrite, self.build(args[0]))
            case "label_join":
                target, separator, *sources = (text(arg) for arg in args[1:])
                rewrite = joining(target, separator, tuple(sources))
                return Relabelled(rewrite, self.build(args[0]))
            case "sort":
                return Sorted(rising, self.build(args[0]))
            case "sort_desc":
                return Sorted(falling, self.build(args[0]))
            case "sort_by_label" | "sort_by_label_desc":
                names = tuple(text(arg) for arg in args[1:])
                order = ByLabels(names, descending=name == "sort_by_label_desc")
                return Sorted(order, self.build(args[0]))
        return self.histogram(name, args)

    def histogram(self, name: str, args: tuple[Expression, ...]) -> nodes.Node:
        """Functions of classic histograms; those of native ones are refused."""
        match name:
            case "histogram_quantile":
                return Histogram(quantile, (self.build(args[0]),), self.build(args[1]))
            case "histogram_fraction":
                limits = (self.build(args[0]), self.build(args[1]))
                return Histogram(fraction, limits, self.build(args[2]))
            case "histogram_quantiles":
                shares = tuple(self.build(arg) for arg in args[2:])
                return Quantiles(text(args[1]), shares, self.build(args[0]))
            case "start_timestamp":
                raise Refused("start_timestamp is not supported: samples have no start times")
        if name.startswith("histogram_"):
            raise Refused(f"{name}: native histograms are not supported")
        raise Refused(f"function {name!r} is not supported")

    def info(self, call: Call) -> nodes.Node:
        """`info` reads series that its arguments do not name."""
        found = metadata(call)
        reference = nodes.Reference(found.offset, found.at)
        return Info(self.build(call.args[0]), found.selector, reference, *matchers(call))

    def ranged(self, name: str, args: tuple[Expression, ...]) -> nodes.Node:
        """A function over a range selector or a subquery."""
        kernel = RANGES[name]
        place = kernel.range_at
        scalars = tuple(self.build(arg) for arg in args[:place] + args[place + 1 :])
        return nodes.Ranged(kernel, self.range(args[place]), scalars)

    def range(self, tree: Expression) -> nodes.Range:
        """What has the samples of a range vector."""
        match tree:
            case Select(selector, offset, int(window), at):
                return nodes.Selected(selector, window, nodes.Reference(offset, at))
            case Subquery(inner, span, step, offset, at):
                reference = nodes.Reference(offset, at)
                return Stepped(self.build(inner), span, step or self.default_step, reference)
        raise AssertionError("the parser lets ranges only be where ranges are")

    def timestamp(self, arg: Expression) -> nodes.Node:
        """`timestamp` of a selector is the samples' own."""
        match arg:
            case Select(selector, offset, None, at):
                return nodes.Instant(selector, nodes.Reference(offset, at), timed=True)
        return nodes.Stamped(self.build(arg))

    def aggregate(self, tree: Aggregate) -> nodes.Node:
        """An aggregation."""
        op, inner = tree.op, self.build(tree.inner)
        grouping = Grouping(tree.by, tree.labels)
        if op == "count_values":
            assert tree.param is not None
            name = text(tree.param)
            if not name:
                raise Refused('invalid label name ""')
            return Counted(
                name, inner, Grouping(tree.by, (*tree.labels, name)) if tree.by else grouping
            )
        param = None if tree.param is None else self.build(tree.param)
        if param is not None and param.kind is not Kind.SCALAR:
            # The parser looks at most of them, not at those of limitk and limit_ratio.
            raise Refused(f"{op!r} takes a scalar first, got {param.kind}")
        if op in AGGREGATIONS:
            return Aggregated(AGGREGATIONS[op], inner, grouping, param)
        if op in ORDERS and param is not None:
            return Ranked(ORDERS[op], param, inner, grouping)
        if op == "limit_ratio" and param is not None:
            return Sampled(param, inner)
        raise Refused(f"aggregation {op!r} is not supported")

    def binary(self, tree: Binary) -> nodes.Node:
        """An operator between two sides."""
        op, left, right = tree.op, self.build(tree.left), self.build(tree.right)
        filled = (tree.matching.fill_left, tree.matching.fill_right) != (None, None)
        if op in SETS:
            if filled:
                raise Refused("filling in missing series not allowed for set operators")
            return Sets(op, left, right, Pairs(tree.matching))
        apply = ARITHMETIC.get(op) or COMPARISONS.get(op)
        if apply is None:
            raise Refused(f"operator {op!r} is not supported")
        if filled and Kind.SCALAR in {left.kind, right.kind}:
            raise Refused("filling in missing series only allowed between instant vectors")
        match left.kind, right.kind:
            case Kind.SCALAR, Kind.SCALAR:
                return Scalars(apply, left, right)
            case Kind.VECTOR, Kind.SCALAR:
                return WithScalar(op, left, right, False, tree.returns_bool)
            case Kind.SCALAR, Kind.VECTOR:
                return WithScalar(op, right, left, True, tree.returns_bool)
        kind = Filled if filled else Vectors
        return kind(op, left, right, tree.returns_bool, tree.matching, Pairs(tree.matching))


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
