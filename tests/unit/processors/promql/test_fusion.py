"""Plans evaluated together answer what each answers alone: to the bit, errors included."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.fusion.engine import Fusion
from processors.promql.labels import Labels
from processors.promql.plan import Plan, compile
from processors.promql.vector import Vector
from processors.selection import Selection
from processors.windows import Windows
from schemas.metrics import metric_batch
from tests.differential import generated

T0 = 1_700_000_000_000


def alone(plan: Plan, source: Selection, at: int) -> object:
    try:
        value = plan.evaluate(source, at)
    except EvaluationFailed as fault:
        return f"failed: {fault.reason}"
    items = value.items() if isinstance(value, Vector) else [((), float(str(value)))]
    return bits(items)


def bits(items: list[tuple[Labels, float]]) -> list[tuple[Labels, bytes]]:
    # Nobody can see which NaN it is, or the order; of anything else every bit counts.
    return sorted(
        (labels, b"NaN" if math.isnan(value) else struct.pack("<d", value))
        for labels, value in items
    )


def filled(series: dict[str, list[str]], plans: list[Plan], steps: range) -> Windows:
    windows = Windows([use for plan in plans for use in plan.selectors])
    take(windows, series, steps)
    return windows


def take(windows: Windows, series: dict[str, list[str]], steps: range) -> None:
    given = generated.source(series)._columns
    rows = {
        labels: dict(zip(times[:count].tolist(), values[:count].tolist(), strict=True))
        for labels, times, values, count in zip(
            given.series.labels, given.times, given.values, given.counts, strict=True
        )
    }
    for step in steps:
        at = step * generated.STEP * 1_000
        here = [(labels, found[at]) for labels, found in rows.items() if at in found]
        if here:
            batch = metric_batch("i", [e[0] for e in here], [e[1] for e in here], [T0 + at])
            windows.add(batch, np.array([T0 + at]), T0 + at)


def compiled(draw: generated.Generator, count: int) -> list[Plan]:
    plans = []
    for _ in range(count):
        expr = draw.vector(draw.random.choice([0, 1, 2, 3]))
        try:
            plans.append(compile(expr))
        except Refused:
            continue
    return plans


@given(st.integers(0, 100_000))
def test_together_is_as_alone(seed: int) -> None:
    draw = generated.Generator(seed)
    series, plans = draw.series(), compiled(draw, 25)
    fusion, windows, seen = Fusion(plans), None, 0
    for now in sorted(draw.random.randint(0, 150) for _ in range(3)):
        if windows is None:
            windows = filled(series, plans, range(now))
        else:
            take(windows, series, range(seen, now))
        seen, at = now, T0 + now * generated.STEP * 1_000
        answers = fusion.evaluate(windows.all, at)
        for plan in plans:
            found = answers.of(plan)
            if found is not None:
                assert bits(found) == alone(plan, windows.all, at), plan.text


EVERYTHING = """
m > 1; m{job="a"} >= bool 0; 3 < n; rate(c[1m]) > 0; avg_over_time(m[5m]) > -1;
quantile_over_time(0.95, m[1m]) > 0; sum by (job) (rate(c[5m])) / sum by (job) (m);
m / on (job, host) n; m * on (job) group_left sum by (job) (n); absent(nothing); absent(m);
(m > 0) and (n < 5); m unless n; m or n; (m or n) * 2; -m; abs(m); clamp(m, 0, 1); vector(1);
time(); scalar(sum(m)); scalar(m) > bool 1; time() - timestamp(m) > 5; timestamp(abs(m));
topk(1, m) > 0;
max_over_time(rate(c[1m])[5m:30s]) > 0; count(m == 1) > 1; min(m) > vector(3); vector(time());
label_replace(m, "x", "$1", "job", "(.*)") > 0; stddev by (job) (m); quantile(0.5, m); m offset 1m;
m > on (job) group_left (host) max by (job, host) (n); 1 + 2; m ^ 2; m % 3; m atan2 n; -0.0 * m;
predict_linear(m[5m], 3600) < 0; deriv(m[1m]); changes(m[5m]) > 2; {job="a"} > 0;
m > scalar(sum(n)); sort_desc(m); sum(m) by (job) > bool 0; count_values("v", m);
histogram_quantile(0.9, m); m @ end()
"""


@pytest.mark.parametrize("seed", range(20))
def test_whatever_rules_say_together_is_as_alone(seed: int) -> None:
    draw = generated.Generator(seed)
    series = draw.series()
    plans = [compile(expr.strip()) for expr in EVERYTHING.split(";")]
    windows = filled(series, plans, range(100))
    fusion = Fusion(plans)
    at = T0 + 99 * generated.STEP * 1_000
    for now in (at, at + 7_000, at + 290_000):
        answers = fusion.evaluate(windows.all, now)
        for plan in plans:
            found = answers.of(plan)
            expected = alone(plan, windows.all, now)
            assert found is None or bits(found) == expected, plan.text
        assert sum(answers.of(plan) is None for plan in plans) <= 5
