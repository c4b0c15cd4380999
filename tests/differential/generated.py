"""Random series and expressions of the supported language, from a seeded generator."""

import random

from processors.promql.columns import STALE
from processors.promql.memory import MemorySource

STEP = 5  # seconds

RANGE_FUNCTIONS = [
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "changes",
    "resets",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "present_over_time",
]
POINTWISE = ["abs", "ceil", "floor", "round", "sgn", "sqrt", "timestamp", "-", "+", ""]
MATCHERS = [
    "",
    '{job="a"}',
    '{job!="a"}',
    '{job=~"a|b"}',
    '{job!~"a.*"}',
    '{host=""}',
    '{host!=""}',
    '{job="a",host="1"}',
    '{nosuch="x"}',
    '{host=~"1|2"}',
]
NAMES = ["m", "n", "c", '{__name__=~"m|n"}', '{job="a"}', '{__name__!="c",job=~".+"}']


class Generator:
    """Draws from one seed, so that a difference can be had again."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def series(self) -> dict[str, list[str]]:
        """Series in promtool's notation, an item a step."""
        labels = [
            f'{name}{{job="{job}"{host}}}'
            for name in "mnc"
            for job in "ab"
            for host in ("", ',host="1"', ',host="2"')
        ]
        chosen = [each for each in labels if self.random.random() < 0.7]
        return {each: self._values(each[0] == "c") for each in chosen}

    def _values(self, counter: bool) -> list[str]:
        draw, gaps = self.random, self.random.choice([0.0, 0.1, 0.6, 0.9])
        items, level = [], draw.choice([0.0, 1000.0, 0.1])
        length = draw.randint(0, 150)
        while len(items) < length:
            roll = draw.random()
            if roll < gaps:
                items.append("_")
            elif roll > 0.985:
                items.append("stale")
            elif roll > 0.975 and not counter:
                items.append(draw.choice(["NaN", "Inf", "-Inf"]))
            elif counter:
                level = 0.0 if draw.random() < 0.08 else level + draw.choice([0, 1, 0.3, 17])
                items.append(repr(level))
            else:
                items.append(
                    repr(draw.choice([0.0, 1.0, -2.5, round(draw.gauss(0, 100), 3), 1e17, 0.1]))
                )
        return items or ["_"]

    def time(self) -> str:
        """An evaluation time."""
        return f"{self.random.randint(0, 900)}s"

    def selector(self) -> str:
        """A name with matchers."""
        name = self.random.choice(NAMES)
        return name if name[0] == "{" else name + self.random.choice(MATCHERS)

    def offset(self) -> str:
        """Mostly none."""
        return self.random.choice(["", "", "", " offset 30s", " offset -20s", " offset 2m"])

    def ranged(self) -> str:
        """A function over a range."""
        window = self.random.choice(["7s", "15s", "1m", "61s1ms", "5m", "10m"])
        arg = f"{self.selector()}[{window}]{self.offset()}"
        return f"{self.random.choice(RANGE_FUNCTIONS)}({arg})"

    def scalar(self, depth: int) -> str:
        """A scalar expression."""
        return self.random.choice(
            [
                "0",
                "1",
                "2.5",
                "-1",
                "NaN",
                "Inf",
                "time()",
                "(3 > bool 2)",
                "10 % 4",
                "0/0",
                "-7 % 3",
            ]
            + ([f"scalar({self.vector(depth - 1)})"] if depth > 0 else [])
        )

    def vector(self, depth: int) -> str:
        """A vector expression."""
        if depth <= 0:
            return self.ranged() if self.random.random() < 0.4 else self.selector() + self.offset()
        return self.random.choice(
            [
                self._pointwise,
                self._aggregate,
                self._binary,
                self._binary,
                self._set,
                self._other,
                self._scalar,
            ]
        )(depth)

    def _pointwise(self, depth: int) -> str:
        inner = self.vector(depth - 1)
        if self.random.random() < 0.3:
            name = self.random.choice(["clamp_min", "clamp_max", "round"])
            return f"{name}({inner}, {self.scalar(0)})"
        if self.random.random() < 0.1:
            return f"clamp({inner}, {self.scalar(0)}, {self.scalar(0)})"
        return f"{self.random.choice(POINTWISE)}({inner})"

    def _aggregate(self, depth: int) -> str:
        op = self.random.choice(["sum", "avg", "min", "max", "count", "group"])
        by = self.random.choice(
            [
                "",
                " by (job)",
                " by (host)",
                " without (host)",
                " without (job, host)",
                " by ()",
                " by (job, __name__)",
                " without ()",
                " by (nosuch)",
            ]
        )
        return f"{op}{by} ({self.vector(depth - 1)})"

    def _matching(self, group: bool) -> str:
        how = self.random.choice(
            [
                "",
                "",
                "on(job)",
                "on(job, host)",
                "ignoring(host)",
                "ignoring(job)",
                "on()",
                "ignoring(nosuch)",
                "on(job, host, __name__)",
                "on(host)",
            ]
        )
        if group and how and self.random.random() < 0.5:
            extra = self.random.choice(["", "", "(host)", "(nosuch)", "(__name__)"])
            if "host" in extra + how and "on(" in how:
                extra = ""
            if extra.strip("()") in how:
                extra = ""
            how += f" {self.random.choice(['group_left', 'group_right'])}{extra}"
        return how

    def _operator(self) -> str:
        if self.random.random() < 0.5:
            return self.random.choice(["+", "-", "*", "/", "%"])
        op = self.random.choice(["==", "!=", ">", "<", ">=", "<="])
        return op + self.random.choice(["", "", " bool"])

    def _binary(self, depth: int) -> str:
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        if self.random.random() < 0.4:
            right = left.replace("rate", "increase") if self.random.random() < 0.5 else right
        if self.random.random() < 0.5:
            left, right = f"sum by (job, host) ({left})", f"max by (job, host) ({right})"
        elif self.random.random() < 0.5:
            right = f"sum by (job) ({right})"
        return f"({left}) {self._operator()} {self._matching(True)} ({right})"

    def _scalar(self, depth: int) -> str:
        sides = [f"({self.vector(depth - 1)})", self.scalar(depth - 1)]
        self.random.shuffle(sides)
        return f"{sides[0]} {self._operator()} {sides[1]}"

    def _set(self, depth: int) -> str:
        op = self.random.choice(["and", "or", "unless"])
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        return f"({left}) {op} {self._matching(False)} ({right})"

    def _other(self, depth: int) -> str:
        return self.random.choice(
            [
                f"absent({self.vector(depth - 1)})",
                f"absent({self.selector()})",
                f"absent_over_time({self.selector()}[1m]{self.offset()})",
                f"timestamp({self.selector()}{self.offset()})",
                f"timestamp(({self.selector()}))",
                f"vector({self.scalar(depth - 1)})",
            ]
        )


def source(series: dict[str, list[str]]) -> MemorySource:
    """The same series for our engine."""
    return MemorySource.of([(_labels(name), _samples(items)) for name, items in series.items()])


def _labels(name: str) -> tuple[tuple[str, str], ...]:
    metric, rest = name.rstrip("}").split("{")
    pairs = [tuple(each.replace('"', "").split("=")) for each in rest.split(",")]
    return tuple(sorted([("__name__", metric), *((n, v) for n, v in pairs)]))


def _samples(items: list[str]) -> list[tuple[int, float]]:
    return [
        (i * STEP * 1000, STALE if item == "stale" else float(item))
        for i, item in enumerate(items)
        if item != "_"
    ]
