"""PromQL at random: every function, operator, aggregation and modifier, well typed.

What only a server with feature flags answers (promtool's tests have none) is drawn where
`experimental` is true.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.differential.samples import LAST

T = TypeVar("T")


class Choice(Protocol):
    """Whoever picks one of several: hypothesis, or a `random.Random`."""

    def __call__(self, among: Sequence[T], /) -> T:
        """One of them."""
        ...


SELECTORS = [
    *("m", "n", "c", "m", "n", "c", "h_bucket", "h_bucket"),
    *('m{job="a"}', 'n{job!="a"}', 'c{job=~"a|b"}', 'm{job!~"a.*"}', 'n{host=""}', 'm{host!=""}'),
    *('m{job="a",host="1"}', '{__name__=~"m|n"}', '{job="a"}', '{__name__!="c",job=~".+"}'),
    *('m{nosuch="x"}', "nosuch", '{__name__="c",host=~"1|2"}', 'm{host=~"(?i:ONE)|[12]"}'),
    *('{"lat.ms"}', '{"lat.ms","geo.zone"="éa"}', '{"lat.ms",job="a"}', '{"geo.zone"=~".+"}'),
    *('h_bucket{le="+Inf"}', 'h_bucket{le!="+Inf",job="a"}', "target_info"),
]
WINDOWS = ["7s", "15s", "1m", "1m", "61s1ms", "5m", "10m", "90", "1m30s"]
STEPS = ["", "", "5s", "10s", "7s", "1m"]
OFFSETS = ["", "", "", "", " offset 30s", " offset -20s", " offset 2m"]
EDGES = ["", "", "", "", "", " @ start()", " @ end()"]
ATS = [300.0, 61.5, -10.0, 1000.0]  # seconds after the first sample
LITERALS = [
    *("0", "1", "2", "2.5", "-1", "0.1", "0.9", "100", "1e3", "0x1F", "1e-9"),
    *("NaN", "Inf", "-Inf", "5m"),
]
QUANTILES = ["0", "0.5", "0.9", "1", "0.25", "-1", "1.5", "NaN", "0.999"]
COUNTS = ["0", "1", "2", "3", "-1", "1.9", "100"]
RATIOS = ["0.5", "-0.5", "1", "-1", "0", "0.1", "2"]
OVER_RANGE = [
    *("rate", "increase", "delta", "irate", "idelta", "changes", "resets", "deriv"),
    *("avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time"),
    *("last_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time"),
    *("quantile_over_time", "quantile_over_time", "predict_linear"),
]
OVER_RANGE_EXPERIMENTAL = [
    *("mad_over_time", "double_exponential_smoothing", "first_over_time"),
    *("ts_of_min_over_time", "ts_of_max_over_time"),
    *("ts_of_first_over_time", "ts_of_last_over_time"),
]
POINTWISE = [
    *("abs", "ceil", "floor", "round", "sgn", "sqrt", "exp", "ln", "log2", "log10", "deg", "rad"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
    *("asinh", "acosh", "atanh", "timestamp", "-", "+", "", "sort", "sort_desc"),
    *("minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month"),
    *("month", "year"),
]
AGGREGATIONS = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
GROUPINGS = [
    *("", "", " by (job)", " by (host)", " without (host)", " without (job, host)", " by ()"),
    *(" by (job, __name__)", " without ()", " by (nosuch)", ' by ("geo.zone")', " by (le, job)"),
    *(" without (le)",),
]
MATCHINGS = [
    *("", "", "on(job)", "on(job, host)", "ignoring(host)", "ignoring(job)", "on()"),
    *("ignoring(nosuch)", "on(job, host, __name__)", "on(host)", 'ignoring("geo.zone")'),
    *("ignoring(le)", "on(job, host, le)"),
]
GROUPS = ["", "", " group_left", " group_right", " group_left()", " group_left(host)"]
GROUPS += [" group_right(host)", " group_left(nosuch)", " group_left(__name__)"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]
REPLACEMENTS = [
    'label_replace({}, "host", "$1", "job", "(.*)")',
    'label_replace({}, "new", "$1-${{2}}", "job", "(.)(.*)")',
    'label_replace({}, "__name__", "renamed", "job", "a")',
    'label_replace({}, "job", "", "host", "1")',
    'label_replace({}, "geo.zone", "$name$$x", "job", "(?P<name>a|b)")',
    'label_replace({}, "host", "x", "host", "")',
    'label_replace({}, "new", "$nosuch", "nosuch", ".*")',
    'label_join({}, "both", "-", "job", "host")',
    'label_join({}, "job", ",", "host", "nosuch", "job")',
    'label_join({}, "host", "-")',
    'label_join({}, "new", "", "geo.zone")',
]
FILLS = ["", "", " fill (0)", " fill_left (1)", " fill_right (-2.5)", " fill (NaN)"]
FILLS += [" fill_left (1) fill_right (2)"]
INFO = ["", ', {version=~".+"}', ', {__name__="target_info"}', ', {nosuch="x"}', ', {job="a"}']


BUCKETS = [
    *("h_bucket", "rate(h_bucket[1m])", "sum by (le) (rate(h_bucket[5m]))"),
    *("sum by (job, le) (h_bucket)", 'h_bucket{le!="+Inf"}', "h_bucket offset 30s", "-h_bucket"),
    'label_replace(h_bucket, "le", "$1", "le", "(.).*")',
]
COUNTED = ["value", "job", "host", "v.x"]
DATES = ["minute()", "day_of_week()", "year()", "days_in_month()"]
DEPTHS = [0, 1, 1, 2, 2, 2, 3]
FACTORS = ["0.5", "0.1", "0.9", "0.3", "1", "NaN"]


@dataclass(frozen=True)
class Writer:
    """Writes expressions of each type, up to a depth."""

    one: Choice
    experimental: bool = False
    ranked: bool = True  # `topk` and its like, which promtool's storage answers in random order
    base: int = 0  # when the series begin, in milliseconds
    within: int = 0  # how many subqueries are around
    fixed: bool = True  # whether `@` may be used

    def expression(self, depth: int) -> str:
        """An expression that a rule could have."""
        if self.ranked and self.one(range(12)) == 0:
            return self.ranking(depth)
        return self.scalar(depth) if self.one(range(10)) == 9 else self.vector(depth)

    def scalar(self, depth: int) -> str:
        """A scalar expression."""
        kinds = ["literal", "literal", "vector", "operator", "extreme"]
        match self.one(kinds) if depth > 0 else "literal":
            case "vector":
                return f"scalar({self.vector(depth - 1)})"
            case "operator":
                op = self.operator()
                op += " bool" if op in COMPARISONS else ""
                return f"({self.scalar(depth - 1)}) {op} ({self.scalar(depth - 1)})"
            case "extreme" if self.experimental:
                name = self.one(["max_of", "min_of"])
                return f"{name}({self.scalar(depth - 1)}, {self.scalar(depth - 1)})"
        times = ["step()", "range()", "start()", "end()"] if self.experimental else []
        return self.one([*LITERALS, "time()", "pi()", *times])

    def operator(self) -> str:
        """An operator between values, without `bool`."""
        return self.one(ARITHMETIC + COMPARISONS)

    def returning(self) -> str:
        """An operator, with `bool` now and then."""
        op = self.operator()
        return f"{op} bool" if op in COMPARISONS and self.one([False, True]) else op

    def moved(self) -> str:
        """Offset and `@`, in either order or not at all."""
        offset = self.one(OFFSETS)
        if not self.fixed:
            return offset
        at = self.one([*EDGES, *(f" @ {self.base / 1000 + at}" for at in ATS)])
        return offset + at if self.one([True, False]) else at + offset

    def selector(self) -> str:
        """An instant selector."""
        return self.one(SELECTORS) + self.moved()

    def range(self, depth: int) -> str:
        """A range selector or a subquery."""
        if depth <= 0 or self.within > 1 or self.one(["plain", "plain", "subquery"]) == "plain":
            return f"{self.one(SELECTORS)}[{self.one(WINDOWS)}]{self.moved()}"
        spans = [f"{span}:{step}" for span in WINDOWS for step in STEPS]
        span = self.one(["1m:10s", "30s:7s"] if self.within else spans)
        # docs/promql.md: with one step at the instant itself, Prometheus moves `@` inside.
        fixed = self.fixed and (self.within > 0 or span.startswith(("5m", "10m")))
        deeper = replace(self, within=self.within + 1, ranked=False, fixed=fixed)
        return f"({deeper.expression(depth - 1)})[{span}]{self.moved()}"

    def vector(self, depth: int) -> str:
        """A vector expression."""
        if depth <= 0:
            return self.selector() if self.one([False, True]) else self.ranged(0)
        kinds = [self.pointwise, self.other, self.histogram, self.with_scalar]
        kinds += [self.aggregated, self.aggregated, self.joined, self.joined]
        if self.one(range(5)) == 0:
            return self.selector()
        return self.ranged(depth) if self.one(range(4)) == 0 else self.one(kinds)(depth - 1)

    def parameter(self, usual: list[str], depth: int) -> str:
        """A scalar parameter: mostly one that makes sense."""
        return self.scalar(depth - 1) if self.one(range(4)) == 3 else self.one(usual)

    def ranged(self, depth: int) -> str:
        """A function over a range."""
        name = self.one(OVER_RANGE + OVER_RANGE_EXPERIMENTAL * self.experimental)
        over = self.range(depth)
        match name:
            case "quantile_over_time":
                return f"{name}({self.parameter(QUANTILES, depth)}, {over})"
            case "predict_linear":
                return f"{name}({over}, {self.scalar(depth - 1)})"
            case "double_exponential_smoothing":
                return f"{name}({over}, {self.one(FACTORS)}, {self.one(FACTORS)})"
        return f"{name}({over})"

    def pointwise(self, depth: int) -> str:
        """A function of each value."""
        inner = self.vector(depth)
        match self.one(["plain", "plain", "plain", "two", "clamp", "date"]):
            case "two":
                name = self.one(["clamp_min", "clamp_max", "round"])
                return f"{name}({inner}, {self.scalar(depth)})"
            case "clamp":
                return f"clamp({inner}, {self.scalar(depth)}, {self.scalar(depth)})"
            case "date":
                return self.one(DATES)
        return f"{self.one(POINTWISE)}({inner})"

    def aggregated(self, depth: int) -> str:
        """An aggregation, with a parameter where it takes one."""
        by, inner = self.one(GROUPINGS), self.vector(depth)
        kinds = ["plain", "plain", "quantile", "count_values"]
        kinds += ["limit_ratio"] * self.experimental
        match self.one(kinds):
            case "quantile":
                return f"quantile{by} ({self.parameter(QUANTILES, depth)}, {inner})"
            case "count_values":
                return f'count_values{by} ("{self.one(COUNTED)}", {inner})'
            case "limit_ratio":
                return f"limit_ratio{by} ({self.one(RATIOS)}, {inner})"
        return f"{self.one(AGGREGATIONS)}{by} ({inner})"

    def ranking(self, depth: int) -> str:
        """The first so many: never inside another expression, where ties would tell."""
        by = self.one(GROUPINGS)
        if self.experimental and self.one(range(3)) == 0:
            return f"limitk{by} ({self.one(COUNTS)}, {self.one(['m', 'n', 'c'])}{self.moved()})"
        name, count = self.one(["topk", "bottomk"]), self.parameter(COUNTS, 0)
        return f"{name}{by} ({count}, {replace(self, ranked=False).vector(depth)})"

    def with_scalar(self, depth: int) -> str:
        """An operator between a vector and a number, in either order."""
        one, other = self.vector(depth), self.scalar(depth)
        if self.one([False, True]):
            one, other = other, one
        return f"({one}) {self.returning()} ({other})"

    def joined(self, depth: int) -> str:
        """An operator between two vectors."""
        left, right, how = self.vector(depth), self.vector(depth), self.one(MATCHINGS)
        match self.one(["as is", "alike", "reduced", "same", "set"]):
            case "alike":
                left, right = f"sum by (job, host) ({left})", f"max by (job, host) ({right})"
            case "reduced":
                right = f"sum by (job) ({right})"
            case "same":
                right = left
            case "set":
                return f"({left}) {self.one(['and', 'or', 'unless'])} {how} ({right})"
        group = self.one(GROUPS) if how else ""
        if how.startswith("on") and group[12:-1] and group[12:-1] in how:
            group = ""  # a label must not be on both lists
        fill = self.one(FILLS) if self.experimental else ""
        return f"({left}) {self.returning()} {how}{group}{fill} ({right})"

    def other(self, depth: int) -> str:
        """Functions of a shape of their own."""
        kinds = ["absent", "absent of", "absent over", "time", "scalar", "labels", "labels"]
        kinds += ["sorted", "info", "info"] * self.experimental
        match self.one(kinds):
            case "absent":
                return f"absent({self.vector(depth)})"
            case "absent of":
                return f"absent({self.selector()})"
            case "absent over":
                return f"absent_over_time({self.range(depth)})"
            case "time":
                return f"timestamp({self.selector()})"
            case "scalar":
                return f"vector({self.scalar(depth)})"
            case "sorted":
                name = self.one(["sort_by_label", "sort_by_label_desc"])
                return f'{name}({self.vector(depth)}, "job", "host")'
            case "info":
                return f"info({self.vector(depth)}{self.one(INFO)})"
        return self.one(REPLACEMENTS).format(self.vector(depth))

    def histogram(self, depth: int) -> str:
        """Functions of classic histograms, over buckets or whatever else."""
        over = self.vector(depth) if self.one(range(4)) == 3 else self.one(BUCKETS)
        share = self.parameter(QUANTILES, depth)
        match self.one(["quantile", "quantile", "fraction", "quantiles"]):
            case "fraction":
                return f"histogram_fraction({self.scalar(0)}, {self.scalar(0)}, {over})"
            case "quantiles" if self.experimental:
                # Where two buckets have one bound, Prometheus spoils them for the second quantile.
                over = self.one(BUCKETS[:3]).replace("h_bucket", 'h_bucket{le!~"1.0|Inf"}')
                return f'histogram_quantiles({over}, "q", {share}, {self.one(QUANTILES)})'
        return f"histogram_quantile({share}, {over})"


@st.composite
def expressions(
    draw: DrawFn, *, experimental: bool = False, ranked: bool = True, base: int = 0
) -> str:
    """As hypothesis draws and shrinks them; small ones are most frequent."""

    def one(among: Sequence[T]) -> T:
        return draw(st.sampled_from(among))

    return Writer(one, experimental, ranked, base).expression(one(DEPTHS))


def instants() -> st.SearchStrategy[int]:
    """Milliseconds since the first samples; at a sample's time as often as not."""
    return st.integers(0, LAST // 1000).map(lambda at: at * 1000) | st.integers(0, LAST)
