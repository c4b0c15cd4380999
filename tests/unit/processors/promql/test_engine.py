import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql.columns import STALE, Columns, SeriesSet
from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.promql.plan import compile
from processors.promql.selector import Selector
from processors.promql.vector import Vector
from tests.differential import generated

Series = list[tuple[Labels, list[tuple[int, float]]]]


def series(name: str, *samples: tuple[int, float], **labels: str) -> Series:
    pairs = tuple(sorted([("__name__", name), *labels.items()]))
    return [(pairs, [(at * 1000, value) for at, value in samples])]


def answer(expr: str, of: Series, at: int) -> dict[str, float]:
    value = compile(expr).evaluate(MemorySource.of(of), at * 1000)
    assert isinstance(value, Vector)
    return {",".join(f"{n}={v}" for n, v in labels): each for labels, each in value.items()}


def test_an_instant_selector_looks_back_five_minutes_and_not_further() -> None:
    up = series("up", (0, 1.0))
    assert answer("up", up, 299) == {"__name__=up": 1.0}
    assert answer("up", up, 300) == {}


def test_a_range_is_open_on_the_left() -> None:
    up = series("up", (0, 1.0), (60, 1.0))
    assert answer("count_over_time(up[60s])", up, 60) == {"": 1.0}


def test_a_stale_marker_ends_a_series_for_instants_and_is_skipped_in_ranges() -> None:
    up = series("up", (0, 1.0), (10, STALE))
    assert answer("up", up, 20) == {}
    assert answer("count_over_time(up[1m])", up, 20) == {"": 1.0}


def test_a_rate_is_extrapolated_half_an_interval_where_the_series_begins() -> None:
    hits = series("hits", *((at, float(at)) for at in range(100, 161, 15)))
    assert answer("increase(hits[2m])", hits, 165) == {"": 60.0 * (60 + 7.5 + 5) / 60}


def test_an_offset_looks_into_the_past_and_a_negative_one_ahead() -> None:
    up = series("up", (0, 1.0), (60, 2.0))
    assert answer("up offset 1m", up, 60) == {"__name__=up": 1.0}
    assert answer("up offset -1m", up, 0) == {"__name__=up": 2.0}


def test_a_mean_whose_sum_overflows_is_still_a_mean() -> None:
    huge = series("x", (1, 1e308), (2, 1e308), (3, 1e308))
    assert answer("avg_over_time(x[1m])", huge, 3) == {"": pytest.approx(1e308)}


def test_two_series_that_differ_in_name_only_cannot_both_lose_it() -> None:
    both = series("a", (0, 1.0)) + series("b", (0, 1.0))
    with pytest.raises(EvaluationFailed, match="same labelset"):
        answer('abs({__name__=~"a|b"})', both, 0)


def test_a_scalar_result_is_a_number() -> None:
    assert compile("time() % 7").evaluate(MemorySource.of([]), 10_000) == 3.0
    assert math.isnan(float(str(compile("0 / 0").evaluate(MemorySource.of([]), 0))))
    assert compile('"text"').evaluate(MemorySource.of([]), 0) == "text"


@pytest.mark.parametrize(
    ("expr", "named"),
    [
        ("x[5m]", "range vector"),
        ("x[5m:1m]", "range vector"),
        ("rate(x[5m] anchored)", "the anchored modifier"),
        ("x smoothed", "the smoothed modifier"),
        ("rate(x[5m+1m])", "arithmetic in durations"),
        ("x offset (1m)", "arithmetic in durations"),
        ("x @ 1e300", "timestamp out of bounds"),
        ("a and fill (0) b", "not allowed for set operators"),
        ("rate(x[11001s:1s])", "11001 evaluations.*more than 11000.*longer step"),
        ("max_over_time(rate(x[200s:1s])[200s:1s])", "40000 evaluations"),
        ('count_values("", x)', "invalid label name"),
        ('label_replace(x, "", "", "", "")', "invalid destination label name"),
        ('label_replace(x, "a", "", "b", "(")', "regular expression"),
        ('label_join(x, "a", "", "")', "invalid source label name"),
        ('x{a=~"(?P<n>a)(?P<n>b)"}', "regular expression|illegal regex"),
        ("x >", "invalid"),
        ("x" + "+x" * 1001, "too large"),
        ("x" + "+x" * 900, "nested more than 200"),
        ("(" * 250 + "x" + ")" * 250, "nested more than 200"),
        ("delta(x[11e9995])", "gave up"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_when_it_is_compiled(
    expr: str, named: str
) -> None:
    with pytest.raises(Refused, match=named):
        compile(expr)


def test_a_plan_says_what_it_reads_and_how_far_back() -> None:
    plan = compile("rate(a[10m] offset 5m) / b + (a > 0)")
    assert [(use.selector.metric, use.reach_ms) for use in plan.selectors] == [
        ("a", 900_000),
        ("b", 300_000),
    ]


class Shuffled:
    """A source whose rows come in another order, padded on the right with NaN."""

    def __init__(self, source: MemorySource, order: list[int]) -> None:
        self.source, self.order = source, order

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        given = self.source.select(selector, start, end)
        rows = [row for row in self.order if row < len(given.series)]
        pad = np.full((len(rows), 3), np.nan)
        return Columns(
            SeriesSet(tuple(given.series.labels[row] for row in rows)),
            np.hstack((given.times[rows], pad.astype(np.int64) * 0)) if rows else given.times,
            np.hstack((given.values[rows], pad)) if rows else given.values,
            given.counts[rows],
        )


def outcome(expr: str, source: MemorySource | Shuffled, at: int) -> object:
    try:
        value = compile(expr).evaluate(source, at)
    except EvaluationFailed:
        return "failed"
    return sorted(map(repr, value.items())) if isinstance(value, Vector) else repr(value)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@given(st.integers(0, 400), st.randoms(use_true_random=False))
def test_an_answer_does_not_depend_on_the_order_of_series(seed: int, shuffle: object) -> None:
    draw = generated.Generator(seed)
    source = generated.source(draw.series())
    order = list(range(18))
    draw.random.shuffle(order)
    for _ in range(5):
        expr, at = draw.vector(2), int(draw.time()[:-1]) * 1000
        try:
            compile(expr)
        except Refused:
            continue
        assert outcome(expr, source, at) == outcome(expr, Shuffled(source, order), at)


@given(st.integers(0, 400), st.integers(0, 150))
def test_samples_outside_the_bounds_change_nothing(seed: int, cut: int) -> None:
    draw = generated.Generator(seed)
    given = draw.series()
    expr, at = draw.ranged(), cut * generated.STEP * 1000
    later = {name: items[: cut + 5] for name, items in given.items()}  # offsets look 20 s ahead
    assert outcome(expr, generated.source(given), at) == outcome(expr, generated.source(later), at)


def test_an_unchanged_series_set_is_the_key_of_cached_label_work() -> None:
    source = MemorySource.of(series("x", (0, 1.0), job="a") + series("x", (0, 2.0), job="b"))
    plan = compile("sum by (job) (x)")
    first, second = plan.evaluate(source, 0), plan.evaluate(source, 1000)
    assert isinstance(first, Vector)
    assert isinstance(second, Vector)
    assert first.series is second.series


def test_flat_columns_and_sample_lists_make_the_same_source() -> None:
    listed = MemorySource.of(series("x", (0, 1.0), (5, 2.0)) + series("y", (5, 3.0)))
    flat = MemorySource.flat(
        [(("__name__", "x"),), (("__name__", "y"),)],
        np.array([0, 0, 1]),
        np.array([0, 5000, 5000]),
        np.array([1.0, 2.0, 3.0]),
    )
    for expr in ("x", "y", "sum_over_time(x[1m])", "absent(z)"):
        assert outcome(expr, listed, 6000) == outcome(expr, flat, 6000)


def test_label_work_is_forgotten_with_its_series_set() -> None:
    plan = compile("sum by (job) (abs(x) / on (job) group_left () max by (job) (y)) or x > y")
    kept = []
    for _ in range(3):
        source = MemorySource.of(series("x", (0, 1.0), job="a") + series("y", (0, 2.0), job="a"))
        plan.evaluate(source, 0)
        kept.extend(weakref.ref(each.series) for each in source._selected.values())
        del source
    gc.collect()
    assert [ref() for ref in kept] == [None] * 6
