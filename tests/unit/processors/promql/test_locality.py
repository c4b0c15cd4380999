"""Expressions that stay within one instance, and those that do not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels, get
from processors.promql.locality import carries_instance, locality, within_instance
from processors.promql.memory import MemorySource
from processors.promql.parser import parse
from processors.promql.plan import compile
from processors.promql.selector import Match, Matcher, Selector
from processors.promql.tree import Aggregate, Call, Number, Select, Text
from processors.promql.vector import Vector

UP = Select(Selector((Matcher("__name__", Match.EQUAL, "up"),)))

LOCAL = [
    "up",
    "up == 0",
    "5 - (up)",
    "-up * 2",
    "rate(requests_total[5m]) > 0.5",
    "time() - timestamp(up) > 60",
    "quantile_over_time(0.9, load[1m])",
    "clamp(load, 0, 1 + 1)",
    "up and load",
    "up or load",
    "up unless on (instance) load",
    "errors / ignoring (code) requests",
    "errors / on (instance, job) group_left requests",
    "errors * on (instance) group_left (version) build",
    "sum by (instance) (load)",
    "avg without (cpu) (load)",
    "max without () (load)",
    "(sum by (job, instance) (errors)) / (sum by (job, instance) (requests))",
    '{instance!=""} > 1',
]
SPANNING = [
    "1",
    "time()",
    "vector(1)",
    "time() > bool 5",
    "hour() > 8",
    "sum(load)",
    "sum by (job) (load)",
    "avg without (instance) (load)",
    "count(up == 0) / count(up) > 0.5",
    "absent(up)",
    'absent(up{instance="a"})',
    "absent_over_time(up[5m])",
    "scalar(up)",
    "up * scalar(load)",
    "clamp_max(load, scalar(up))",
    "up and on (job) load",
    "up or on () vector(1)",
    "errors / on (job) group_left requests",
    "errors / ignoring (instance) requests",
    "load - on (job) group_left (instance) up",
    "job:load:avg > 0 and up",
    "sum by (instance) (job:load:avg)",
    '{__name__=~"job:.*|up"} and up',
]


@pytest.mark.parametrize("text", LOCAL)
def test_an_expression_that_stays_within_an_instance(text: str) -> None:
    found = locality(parse(text), {"job:load:avg"})
    assert (found.local, found.why) == (True, "")


@pytest.mark.parametrize("text", SPANNING)
def test_an_expression_that_looks_at_several_instances_says_why(text: str) -> None:
    found = locality(parse(text), {"job:load:avg"})
    assert not found.within
    assert found.why


@pytest.mark.parametrize(
    "text", ["job:load:avg > 0", '{__name__=~"job.*"}', '{job="a"}', "rate(job:load:avg[5m])"]
)
def test_each_recorded_series_lies_in_one_place_but_names_no_instance(text: str) -> None:
    tree = parse(text)
    assert within_instance(tree, ["job:load:avg"])
    assert not carries_instance(tree, ["job:load:avg"])
    assert carries_instance(tree)


def test_series_that_are_chosen_keep_their_labels() -> None:
    top = Aggregate("topk", UP, by=True, labels=(), param=Number(3))
    assert carries_instance(top)
    assert not within_instance(top)
    assert locality(Aggregate("topk", UP, by=True, labels=("instance",), param=Number(3))).local


def test_what_writes_the_label_instance_no_longer_carries_it() -> None:
    written = Call(
        "label_replace", (UP, Text("instance"), Text("$1"), Text("instance"), Text("(.*):.*"))
    )
    other = Call("label_replace", (UP, Text("host"), Text("$1"), Text("instance"), Text("(.*):.*")))
    joined = Call("label_join", (UP, Text("instance"), Text("-"), Text("job")))
    counted = Aggregate("count_values", UP, by=True, labels=("instance",), param=Text("instance"))
    assert not any(carries_instance(tree) for tree in (written, joined, counted))
    assert within_instance(written)
    assert not within_instance(Aggregate("sum", written, by=True, labels=("instance",)))
    assert locality(other).local


INSTANCES = ("a", "b", "c", "")
RECORDED = "job:r"
MATCHINGS = (
    "",
    "on (instance)",
    "ignoring (job)",
    "on (job)",
    "on (instance, job)",
    "on (instance) group_left",
    "on (instance) group_right (job)",
    "on (job) group_left (instance)",
    "ignoring (instance) group_right",
)


class Drawn:
    """Random data over three instances and a recorded series, and random expressions."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def data(self) -> dict[str, list[tuple[Labels, list[tuple[int, float]]]]]:
        """Series by the instance that holds them."""
        return {
            instance: [
                (self._labels(name, instance, job), [(0, self.random.choice([0.0, 1.0, 2.5]))])
                for name in ((RECORDED,) if not instance else ("m", "n"))
                for job in "xy"
                if self.random.random() < 0.7
            ]
            for instance in INSTANCES
        }

    def _labels(self, name: str, instance: str, job: str) -> Labels:
        own = (("instance", instance),) if instance else ()
        return (("__name__", name), *own, ("job", job))

    def expression(self, depth: int) -> str:
        """A vector."""
        pick = self.random.choice
        if depth == 0:
            return pick(["m", "n", "m", 'm{job="x"}', RECORDED, '{instance=~"a|b"}', '{job="x"}'])
        inner = self.expression(depth - 1)
        match pick(["row", "aggregate", "binary", "binary", "set", "other"]):
            case "row":
                return pick([f"-({inner})", f"({inner}) > 1", f"abs({inner})", f"2 * ({inner})"])
            case "aggregate":
                how = pick(["by (instance)", "by (job)", "without (job)", "", "by (instance, job)"])
                return f"{pick(['sum', 'max', 'count'])} {how} ({inner})"
            case "binary":
                how = pick(MATCHINGS)
                other = self.expression(depth - 1)
                return f"({inner}) {pick(['+', '>', '== bool'])} {how} ({other})"
            case "set":
                how = pick(["", "on (instance)", "ignoring (job)", "on (job)", "on ()"])
                other = self.expression(depth - 1)
                return f"({inner}) {pick(['and', 'or', 'unless'])} {how} ({other})"
        return pick([f"absent({inner})", "vector(1)", f"({inner}) * scalar(m)", "m + 1"])


def _results(
    text: str, series: list[tuple[Labels, list[tuple[int, float]]]]
) -> set[tuple[Labels, float]] | None:
    try:
        value = compile(text).evaluate(MemorySource.of(series), 1_000)
    except EvaluationFailed:
        return None
    assert isinstance(value, Vector)
    return set(value.items())


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_a_local_expression_over_everything_is_the_union_over_the_instances(seed: int) -> None:
    drawn = Drawn(seed)
    data = drawn.data()
    for _ in range(5):
        text = drawn.expression(drawn.random.randint(0, 3))
        try:
            found = locality(parse(text), {RECORDED})
        except ValueError:
            continue
        whole = _results(text, [each for series in data.values() for each in series])
        parts = [_results(text, series) for series in data.values()]
        if whole is None or None in parts:
            continue
        if found.carries:
            assert all(get(labels, "instance") for labels, _ in whole), text
        if found.local:
            assert whole == set().union(*(part for part in parts if part)), text


def test_the_law_above_is_not_empty() -> None:
    trees = []
    for seed in range(400):
        try:
            trees.append(parse(Drawn(seed).expression(2)))
        except ValueError:
            continue
    local = [tree for tree in trees if locality(tree, {RECORDED}).local]
    assert len(local) > 40
    assert len(trees) - len(local) > 40
