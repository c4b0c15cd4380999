"""`@`, `offset` and subqueries."""

import pytest

from processors.promql.memory import MemorySource
from processors.promql.nodes import UNLABELLED
from processors.promql.plan import compile
from processors.promql.reach import MOST_STEPS, SelectorUse
from processors.promql.selector import Match, Matcher, Selector
from tests.unit.processors.promql.answers import answer, series, steady

UP = steady("up", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
X = Selector((Matcher("__name__", Match.EQUAL, "x"),))


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("up @ 30", 3.0),
        ("up @ 30 offset 10s", 2.0),
        ("up offset 10s @ 30", 2.0),
        ("up @ 30 offset -10s", 4.0),
        ("up @ start()", 5.0),
        ("up @ end()", 7.0),
        ("sum_over_time(up[20s] @ end())", 13.0),
        ("vector(start() + 100 * end())", 7050.0),
        ("vector(range())", 20.0),
        ("timestamp(up offset 10s)", 50.0),
        ("timestamp((up @ 35))", 30.0),
        ("timestamp(up @ 35 offset 10s)", 20.0),
    ],
)
def test_at_names_a_time_and_offset_counts_from_there(expr: str, value: float) -> None:
    assert list(answer(expr, UP, 60, (50, 70)).values()) == [value]


def test_at_an_instant_start_and_end_are_the_instant() -> None:
    assert answer("up @ start() + up @ end()", UP, 60) == {"": 12.0}
    assert answer("vector(step() + range())", UP, 60) == {"": 0.0}


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("count_over_time(up[60s:10s])", 6.0),  # left-open: 10 … 60
        ("count_over_time(up[60s:7s])", 8.0),  # 7 … 56: at multiples since 1970
        ("count_over_time(up[60s:])", 6.0),
        ("sum_over_time((2 * up)[20s:10s])", 22.0),
        ("sum_over_time(up[20s:10s] offset 10s)", 9.0),
        ("sum_over_time(up[20s:10s] @ 30)", 5.0),
        ("sum_over_time(up[20s:10s] @ 30 offset 10s)", 3.0),
        ("max_over_time(sum_over_time(up[20s:10s])[30s:10s])", 11.0),
        ("sum_over_time((up @ 30)[20s:10s])", 6.0),
        ("rate(up[40s:10s])", 0.1),
    ],
)
def test_a_subquery_is_evaluated_at_multiples_of_its_step(expr: str, value: float) -> None:
    assert list(answer(expr, UP, 60).values()) == [pytest.approx(value, rel=1e-15)]


def test_series_that_come_and_go_inside_a_subquery_keep_to_themselves() -> None:
    both = steady("x", 1, 1, 9, 9, host="a") + steady("x", 5, 5, 5, host="b")
    assert answer("count_over_time((x > 4)[40s:10s])", both, 30) == {"host=a": 2.0, "host=b": 4.0}
    ends = steady("x", 1, 2, host="a") + series("x", (300, 1.0), (310, 1.0), host="b")
    assert answer("count_over_time(x[20s:10s])", ends, 310) == {"host=b": 2.0, "host=a": 1.0}


def test_the_best_of_each_step_is_a_series_where_it_was_the_best() -> None:
    both = steady("x", 1, 2, 9, 9, host="a") + steady("x", 5, 5, 5, 5, host="b")
    found = answer("count_over_time(topk(1, x)[40s:10s])", both, 30)
    assert found == {"host=a": 2.0, "host=b": 2.0}


def test_values_counted_at_every_step_make_series_of_their_own() -> None:
    found = answer('sum_over_time(count_values("v", up)[30s:10s])', UP, 60)
    assert found == {"v=4": 1.0, "v=5": 1.0, "v=6": 1.0}


def test_a_subquery_of_nothing_is_nothing() -> None:
    assert answer("count_over_time(none[30s:10s])", UP, 60) == {}
    assert answer('absent_over_time(none{a="b"}[30s:10s])', UP, 60) == {"": 1.0}


@pytest.mark.parametrize(
    ("expr", "uses"),
    [
        ("x", [SelectorUse(X, 300_000)]),
        ("x offset 1m", [SelectorUse(X, 360_000)]),
        ("x offset -10m", [SelectorUse(X, 0, 600_000)]),
        ("rate(x[2m] offset 1m)", [SelectorUse(X, 180_000)]),
        ("max_over_time(rate(x[2m])[1h:1m] offset 5m)", [SelectorUse(X, 4_020_000)]),
        ("max_over_time(max_over_time(x[1h:1m] offset 1m)[2h:5m])", [SelectorUse(X, 11_160_000)]),
        ("x @ 1000", [SelectorUse(X, 0, 0, ((700_000, 1_000_000),))]),
        ("x + x @ 1000 offset 1m", [SelectorUse(X, 300_000, 0, ((640_000, 940_000),))]),
        ("x @ end()", [SelectorUse(X, 300_000)]),
        ("sum_over_time(x[1m:1s] @ 1000)", [SelectorUse(X, 0, 0, ((640_000, 1_000_000),))]),
        ("sum_over_time((x @ 1000)[1m:1s])", [SelectorUse(X, 0, 0, ((700_000, 1_000_000),))]),
    ],
)
def test_a_plan_knows_what_it_reads(expr: str, uses: list[SelectorUse]) -> None:
    plan = compile(expr)
    assert list(plan.selectors) == uses
    assert plan.fixed_times is bool(uses[0].fixed_at)


def test_spans_cover_a_range_of_instants_and_fixed_times_apart() -> None:
    use = SelectorUse(X, 60, 5, ((1, 2),))
    assert use.spans(1_000, 2_000) == ((940, 2_005), (1, 2))
    assert SelectorUse(X, 0, 0, ((1, 2),)).spans(1_000, 2_000) == ((1, 2),)


def test_as_many_steps_as_a_range_query_has_are_served() -> None:
    found = compile(f"count_over_time(vector(1)[{MOST_STEPS}s:1s])").evaluate(
        MemorySource.of([]), 0
    )
    assert not isinstance(found, float | str)
    assert (found.series.labels, found.values.tolist()) == (UNLABELLED.labels, [MOST_STEPS])
