"""What partials answer is what raw samples would, over a range that begins at a whole cell."""

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.partials.spans import LATENESS, MINUTE
from processors.promql.columns import STALE, STALE_BITS
from processors.promql.labels import Labels, unnamed
from tests.support.build import T0
from tests.unit.processors.partials.engine import Engine, Sample, minute, raw, series

RANGED = [
    "rate(x[3h])",
    "increase(x[3h])",
    "delta(x[3h])",
    "irate(x[3h])",
    "idelta(x[3h])",
    "changes(x[3h])",
    "resets(x[3h])",
    "avg_over_time(x[3h])",
    "sum_over_time(x[3h])",
    "min_over_time(x[3h])",
    "max_over_time(x[3h])",
    "count_over_time(x[3h])",
    "first_over_time(x[3h])",
    "last_over_time(x[3h])",
    "present_over_time(x[3h])",
    "ts_of_first_over_time(x[3h])",
    "ts_of_last_over_time(x[3h])",
    "stddev_over_time(x[3h])",
    "stdvar_over_time(x[3h])",
    'absent_over_time(x{job="none"}[3h])',
]
FAR = [
    "x offset 3h",
    "timestamp(x offset 3h)",
    "rate(x[10m] offset 3h)",
    "increase(x[1h] offset 2h)",
    "max_over_time(x[1m] offset 2h30m)",
    "last_over_time(x[3h] offset 10m)",
    "x - x offset 130m",
    "absent(x offset 3h)",
    "max_over_time(rate(x[5m])[3h:1m])",
    "min_over_time(x[3h:5m])",
    "changes(x[3h:5m])",
    "avg_over_time((x - x offset 3h)[10m:2m])",
    "sum_over_time(max_over_time(x[2m])[4h:7m] offset 5m)",
]
ROWS = [series(), series(job="b"), series(job="c", instance="z")]

values = st.one_of(
    st.integers(0, 50).map(float),
    st.floats(-1e3, 1e3, width=32),
    st.sampled_from([math.nan, STALE, 0.0]),
)


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[int, list[Sample]]]:
    """Four to eight hours of appended samples, some of them late, with silences in between."""
    now, log = T0 + draw(st.integers(0, MINUTE)), []
    for _ in range(draw(st.integers(5, 60))):
        now += draw(st.sampled_from([1, 900, 10_000, 15_000, 30_007, 60_000, 300_000, 1_500_000]))
        late = st.integers(0, 2 * LATENESS).map(
            lambda by: by % draw(st.sampled_from([1, LATENESS]))
        )
        rows = draw(st.lists(st.sampled_from(ROWS), max_size=4))
        log.append((now, [(row, now - draw(late), draw(values)) for row in rows]))
    return log


def taken(log: list[tuple[int, list[Sample]]]) -> list[Sample]:
    return [(r, t, v) for now, samples in log for r, t, v in samples if t > now - LATENESS]


def is_stale(value: float) -> bool:
    return bool(struct.unpack("<Q", struct.pack("<d", value))[0] == STALE_BITS)


def alike(one: dict, other: dict, scale: float = 1.0) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(one[key], other[key], rel_tol=1e-9, abs_tol=1e-9 * scale)
        or (math.isnan(one[key]) and math.isnan(other[key]))
        for key in one
    )


@settings(max_examples=40, deadline=None)
@given(log=logs(), ahead=st.integers(0, 20_000))
def test_any_instant_answers_as_raw_samples_of_whole_minutes_do(log: list, ahead: int) -> None:
    engine = Engine(*RANGED)
    known: list[Sample] = []
    for number, (now, samples) in enumerate(log, 1 - len(log)):
        engine.take(now, samples)
        known += taken([(now, samples)])
        if number % 4:
            continue
        at = now + ahead
        for expr in RANGED:
            # The range begins at a whole minute: so much longer is it.
            longer = 3 * 3_600_000 + (at - minute(at))
            exact = expr.replace("[3h]", f"[{longer}ms]")
            got, wanted = engine.value(expr, at), raw(exact, known, at)
            assert alike(got, wanted, 1e6), (expr, at, got, wanted)


def line(samples: list[tuple[int, float]], at: int) -> tuple[float, float]:
    """Slope per second and value at `at` of the least squares' line, in exact arithmetic."""
    x = [Fraction(time - at, 1000) for time, _ in samples]
    y = [Fraction(value) for _, value in samples]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    products = sum((one - mean_x) * (other - mean_y) for one, other in zip(x, y, strict=True))
    slope = products / sum((one - mean_x) ** 2 for one in x)
    return float(slope), float(mean_y - slope * mean_x)


@settings(max_examples=60, deadline=None)
@given(log=logs(), ahead=st.integers(0, 20_000))
def test_lines_through_whole_minutes_are_exact(log: list, ahead: int) -> None:
    # Prometheus's own sums lose digits where samples lie close together: no oracle for this.
    engine = Engine("deriv(x[3h])", "predict_linear(x[3h], 3600)")
    rows: dict[Labels, dict[int, float]] = {}
    for now, samples in log:
        engine.take(now, samples)
        for row, time, value in taken([(now, samples)]):
            rows.setdefault(row, {}).setdefault(time, value)
    at = now + ahead
    start = minute(at - 3 * 3_600_000)
    slopes, values = (engine.value(expr, at) for expr in engine.plans)
    for row, held in rows.items():
        inside = sorted((t, v) for t, v in held.items() if t > start and not is_stale(v))
        named = unnamed(row)
        assert (named in slopes) is (len(inside) > 1)
        if len(inside) < 2 or any(math.isnan(value) for _, value in inside):
            continue
        slope, level = line(inside, at)
        scale = abs(slope) * 3600 + max(abs(value) for _, value in inside)
        assert math.isclose(slopes[named], slope, rel_tol=1e-7, abs_tol=1e-9 * scale)
        assert math.isclose(values[named], slope * 3600 + level, abs_tol=1e-7 * scale)


@settings(max_examples=40, deadline=None)
@given(log=logs())
def test_far_back_an_answer_is_that_of_the_last_whole_minute(log: list) -> None:
    engine = Engine(*FAR)
    known: list[Sample] = []
    for number, (now, samples) in enumerate(log, 1 - len(log)):
        engine.take(now, samples)
        known += taken([(now, samples)])
        if number % 8:
            continue
        at = minute(now) + MINUTE
        for expr in FAR:
            got, wanted = engine.value(expr, at), raw(expr, known, at)
            assert alike(got, wanted, 1e6), (expr, at, got, wanted)
        assert alike(engine.value("x offset 3h", at + 59_999), raw("x offset 3h", known, at))


@pytest.mark.parametrize("expr", ["rate(x[3d])", "avg_over_time(x[30d])", "x offset 7d"])
def test_ranges_beyond_a_day_begin_at_ten_minutes(expr: str) -> None:
    engine = Engine(expr)
    known: list[Sample] = []
    for hour in range(0, 24 * 9, 1):
        now = T0 + hour * 3_600_000 + 359_000  # a second before ten minutes are whole
        samples = [(series(), now - 7, float(hour % 50)), (series(job="b"), now - 9, 1.0)]
        engine.take(now, samples)
        known += samples
    at = (now // 600_000 + 1) * 600_000
    assert raw(expr, known, at)
    assert alike(engine.value(expr, at), raw(expr, known, at))
