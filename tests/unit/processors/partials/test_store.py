"""What partials keep, forget, refuse and write down."""

import numpy as np
import pytest

from processors.partials import checkpoint
from processors.partials.checkpoint import LARGEST
from tests.support.build import T0
from tests.unit.processors.partials.engine import Engine, raw, series

HOUR = 3_600_000
EXPRS = ("increase(x[3h])", "x offset 3h", "avg_over_time(y[1d])", "max_over_time(x[3d])")


def fed(engine: Engine, minutes: range, names: tuple[str, ...] = ("x", "y")) -> list:
    known = []
    for number in minutes:
        now = T0 + number * 60_000 + 20_000
        samples = [(series(name), now - 5_000, float(number * 3 % 70)) for name in names]
        engine.take(now, samples)
        known += samples
    return known


@pytest.mark.parametrize("cut", [7, 100, 400])
def test_who_restarts_goes_on_with_the_checkpoint_to_the_bit(cut: int) -> None:
    engine = Engine(*EXPRS)
    fed(engine, range(cut))
    log = [
        (T0 + n * 60_000 + 20_000, [(series(s), T0 + n * 60_000 + 15_000, float(n * 3 % 70))])
        for n in range(max(0, cut - 30), cut)
        for s in ("x", "y")
    ]
    other = engine.restored(log)
    for each in (engine, other):
        fed(each, range(cut, cut + 300))
    at = T0 + (cut + 300) * 60_000
    for expr in EXPRS:
        assert other.value(expr, at) == engine.value(expr, at) != {}
    assert other.state == engine.state


def test_the_checkpoint_is_bounded_by_the_reach() -> None:
    engine = Engine("max_over_time(x[3h])")
    fed(engine, range(400))
    held = len(engine.state)
    fed(engine, range(400, 900))
    assert len(engine.state) == held
    assert held < 3 * 60 + 20


def test_entries_stay_below_the_message_limit() -> None:
    engine = Engine("rate(x[3h])")
    noise = np.random.default_rng(1).random(40_000)
    rows = [series(job=f"job-{number}") for number in range(len(noise))]
    now = T0 + 10_000
    engine.partials.close(engine.windows, now)
    from schemas.metrics import metric_batch

    batch = metric_batch("a", rows, noise.tolist(), [now])
    engine.windows.add(batch, np.array([now]), now)
    changes = engine.take(now + 400_000)
    cells = [each for each in changes if each.key.startswith("partials/cells/")]
    assert len(cells) > 1
    assert max(len(each.value or b"") for each in changes) < LARGEST + 10_000
    assert changes[-1].key == checkpoint.MARK


def test_a_row_of_a_series_that_is_gone_is_given_to_a_new_one() -> None:
    engine = Engine("sum_over_time(x[3h])")
    for number in range(900):
        now = T0 + number * 60_000 + 20_000
        engine.take(now, [(series(pod=str(number // 100)), now - 5_000, 1.0)])
    assert len(engine.partials) <= 5
    got = engine.value("sum_over_time(x[3h])", T0 + 900 * 60_000)
    assert sum(got.values()) == 180


def test_series_beyond_the_limit_are_refused_and_counted_and_not_half_answered() -> None:
    engine = Engine("count_over_time(x[3h])", limit=2_000)
    for number in range(12):
        now = T0 + number * 60_000 + 20_000
        engine.take(now, [(series(pod=str(pod)), now - 5_000, 1.0) for pod in range(20)])
    got = engine.value("count_over_time(x[3h])", now)
    refused = engine.partials.dropped()["partials refused"]
    assert 0 < len(got) < 20
    assert refused == 20 - len(got)
    assert set(got.values()) == {12.0}  # what is refused is not answered from raw samples either


def test_an_unchanged_use_keeps_its_cells_under_another_plan_and_a_new_one_begins() -> None:
    engine = Engine("sum_over_time(x[3h])")
    known = fed(engine, range(200))
    at = T0 + 200 * 60_000
    other = Engine("sum_over_time(x[3h])", "max_over_time(x[3h])", plan=2)
    other.windows, other.partials = engine.windows, engine.partials
    other.adopt()
    assert other.value("sum_over_time(x[3h])", at) == raw("sum_over_time(x[3h])", known, at)
    later = fed(other, range(200, 230))
    at = T0 + 230 * 60_000
    wanted = raw("max_over_time(x[3h])", [*known, *later], at)
    assert other.value("max_over_time(x[3h])", at).keys() == wanted.keys()
    assert other.value("sum_over_time(x[3h])", at) == raw(
        "sum_over_time(x[3h])", [*known, *later], at
    )
