"""A sweep over all steps of a subquery is what its steps are, to the bit."""

import random

import numpy as np
import pytest

from processors.promql import sweep as sweeping
from processors.promql.build import Builder
from processors.promql.columns import STALE, STALE_BITS
from processors.promql.errors import EvaluationFailed
from processors.promql.kernels.registry import POINTWISE, RANGES
from processors.promql.memory import MemorySource
from processors.promql.nodes import Moment, vector
from processors.promql.parser import parse
from processors.promql.plan import compile
from processors.promql.sweep import Grid, sweep
from processors.promql.vector import Vector

STEP = 7_000
_RELATIVE = [name for name in RANGES if not name.startswith("ts_of_")]
_ARGUMENTS = {
    "quantile_over_time": "0.3, c[40s]",
    "predict_linear": "c[40s], 60",
    "double_exponential_smoothing": "c[40s], 0.3, 0.6",
}
SWEPT = [
    "m",
    "m offset 33s",
    "m * 2",
    "3 - m",
    "m > 1",
    "2 > bool m",
    "-m",
    "clamp(m, 0, 2)",
    "round(m, 0.3)",
    *(f"{name}(m)" for name in POINTWISE if name not in {"clamp", "clamp_min", "clamp_max"}),
    *(f"{name}({_ARGUMENTS.get(name, 'c[40s] offset 5s')})" for name in _RELATIVE),
    "sum by (job) (rate(c[1m]))",
    "avg without (host) (m)",
    "stddev(m)",
    "quantile by (job) (0.7, m)",
    "count(m > 1)",
    "sum(rate(c[1m])) / sum(rate(n[1m]))",
    "m / n",
    "m > n",
    "sum by (job) (m) == bool sum by (job) (n)",
    "rate(none[1m])",
    "none + 1",
    "sum(none)",
]
STEPWISE = [
    "m and n",
    "m @ 30",
    "topk(1, m)",
    "time() + m",
    "timestamp(m)",
    "ts_of_max_over_time(m[1m])",
    "clamp(m, 2, 1)",
    "m * on(job) group_left sum by (job) (n)",
    'abs({__name__=~"m|n"})',
    "m + none",
    "scalar(n) + m",
    "m + scalar(n)",
]


def source(seed: int) -> MemorySource:
    draw = random.Random(seed)
    given = []
    for name in "mnc":
        for host in "123":
            labels = (("__name__", name), ("host", host), ("job", "ab"[host == "3"]))
            at, level, samples = draw.randint(0, 50_000), 0.0, []
            shared = seed % 2 == 0  # the same times for all: what an agent sends
            while at < 300_000:
                at += 5_000 if shared else draw.choice([1, 4_999, 5_000, 9_000, 60_000])
                level = 0.0 if draw.random() < 0.1 else level + draw.choice([0, 0.1, 3, 1e9])
                odd = draw.choice([STALE, np.nan, np.inf, -1.5])
                value = level if name == "c" else draw.choice([1.0, 2.0, 0.3, 1e17])
                samples.append((at, odd if draw.random() < 0.08 else value))
            given.append((labels, samples if draw.random() < 0.9 else []))
    return MemorySource.of(given)


def steps(expr: str, of: MemorySource, times: np.ndarray) -> list[list[tuple[object, bytes]]]:
    node = Builder(STEP).build(parse(expr))
    bounds = (300_000, 300_000)
    with np.errstate(all="ignore"):
        found = [vector(node, Moment(of, int(at), 60_000, bounds)) for at in times]
    return [sorted((labels, bits(value)) for labels, value in each.items()) for each in found]


def bits(value: float) -> bytes:
    return b"NaN" if np.isnan(value) else np.float64(value).tobytes()


def columns(grid: Grid) -> list[list[tuple[object, bytes]]]:
    return [
        sorted(
            (grid.series.labels[row], bits(grid.values[row, at]))
            for row in np.flatnonzero(grid.present[:, at]).tolist()
        )
        for at in range(grid.values.shape[1])
    ]


def swept(expr: str, of: MemorySource, times: np.ndarray) -> Grid | None:
    node = Builder(STEP).build(parse(expr))
    with np.errstate(all="ignore"):
        return sweep(node, Moment(of, 300_000, 60_000, (300_000, 300_000)), times)


@pytest.mark.parametrize("expr", SWEPT)
def test_a_sweep_is_its_steps(expr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(6):
        of, times = source(seed), np.arange(7_000, 303_000, STEP)
        monkeypatch.setattr(sweeping, "_CELLS", [1_000_000, 60][seed % 2])  # in parts too
        grid = swept(expr, of, times)
        assert grid is not None
        assert columns(grid) == steps(expr, of, times)


@pytest.mark.parametrize("expr", STEPWISE)
def test_what_is_not_row_by_row_is_left_to_steps(expr: str) -> None:
    assert swept(expr, source(0), np.arange(7_000, 303_000, STEP)) is None


@pytest.mark.parametrize("expr", ["m", "rate(c[1m])"])
def test_many_series_are_left_to_steps_and_answer_alike(
    expr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f"sum_over_time(({expr})[4m:7s])"
    alike = compile(asked).evaluate(source(1), 300_000)
    monkeypatch.setattr(sweeping, "_FEW", {"instant": 2, "range": 2})
    assert swept(expr, source(1), np.arange(7_000, 303_000, STEP)) is None
    found = compile(asked).evaluate(source(1), 300_000)
    assert isinstance(alike, Vector)
    assert isinstance(found, Vector)
    assert [(labels, bits(value)) for labels, value in sorted(found.items())] == [
        (labels, bits(value)) for labels, value in sorted(alike.items())
    ]


def test_no_row_of_a_stale_marker_is_swept() -> None:
    grid = swept("m", source(0), np.arange(7_000, 303_000, STEP))
    assert grid is not None
    assert not (grid.values.view(np.int64) == STALE_BITS)[grid.present].any()


@pytest.mark.parametrize("expr", ["m", "rate(m[1m])", "m and m"])
def test_a_subquery_that_would_fill_the_memory_fails(
    expr: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = compile(f"max_over_time(({expr})[1m:1s])")
    plan.evaluate(source(0), 300_000)
    monkeypatch.setattr(sweeping, "MOST_SAMPLES", 100)
    with pytest.raises(EvaluationFailed, match="too many samples into memory in query execution"):
        plan.evaluate(source(0), 300_000)
