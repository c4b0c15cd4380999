"""The windows against the simplest model of them: a dictionary of first values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import windows as module
from processors.limits import NAMED, Admission, Limits
from processors.promql.plan import compile
from processors.windows import Windows
from schemas.errors import Undecodable
from schemas.labels import Labels, labels_of
from schemas.metrics import metric_batch
from tests.support.build import T0

REACH = 300_000
SERIES = [
    labels_of({"__name__": name, "instance": instance})
    for name in ("a", "b", "unwanted")
    for instance in ("x", "y", "z")
]
EXPRS = ('a{instance!="z"} + on () group_left () sum(b)', "max_over_time(a[5m])")


def wanted() -> Windows:
    return Windows([use for expr in EXPRS for use in compile(expr).selectors])


Sample = tuple[int, int, float]  # series, time, value


def seen(windows: Windows, at: int) -> dict[tuple[Labels, int], float]:
    """Everything within reach, through the selectors."""
    found: dict[tuple[Labels, int], float] = {}
    for expr in EXPRS:
        for use in compile(expr).selectors:
            columns = windows.select(use.selector, at - REACH, at)
            assert list(columns.series.labels) == sorted(columns.series.labels)
            for row, labels in enumerate(columns.series.labels):
                times = columns.times[row, : columns.counts[row]]
                assert (np.diff(times) > 0).all()
                for time, value in zip(times, columns.values[row], strict=False):
                    if time > at - REACH:
                        found[labels, int(time)] = float(value)
    return found


def model(samples: list[Sample], at: int) -> dict[tuple[Labels, int], float]:
    found: dict[tuple[Labels, int], float] = {}
    for series, time, value in samples:
        labels = SERIES[series]
        name = dict(labels)["__name__"]
        if name in ("a", "b") and time > at - REACH:
            found.setdefault((labels, time), value)
    return found


batches = st.lists(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(-60, 0), st.integers(0, 9)),
        min_size=1,
        max_size=8,
    ),
    min_size=1,
    max_size=40,
)


@given(batches=batches, look=st.sets(st.integers(0, 40)), step=st.integers(1, 60))
def test_windows_hold_the_first_value_of_every_time_whenever_one_looks(
    batches: list[list[tuple[int, int, int]]], look: set[int], step: int
) -> None:
    windows = wanted()
    samples: list[Sample] = []
    now = T0
    for number, rows in enumerate(batches):
        now += step * 1_000
        at = [now + late * 1_000 for _, late, _ in rows]
        batch = metric_batch(
            "i", SERIES, [float(v) for _, _, v in rows], at, [series for series, _, _ in rows]
        )
        windows.add(batch, np.array(at), now)
        samples += [(s, t, float(v)) for (s, _, v), t in zip(rows, at, strict=True)]
        if number in look:
            assert seen(windows, now) == model(samples, now)
    assert seen(windows, now) == model(samples, now)


@pytest.mark.parametrize("pending", [1, 7, 100_000])
def test_when_samples_move_into_the_matrices_changes_nothing(
    pending: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PENDING", pending)
    windows = wanted()
    samples: list[Sample] = []
    for tick in range(200):
        now = T0 + tick * 10_000
        values = [float(tick + n) for n in range(len(SERIES))]
        windows.add(metric_batch("i", SERIES, values, [now]), np.array([now]), now)
        samples += [(n, now, value) for n, value in enumerate(values)]
    assert seen(windows, now) == model(samples, now)


def test_a_steady_row_stays_narrow_however_long_it_runs() -> None:
    windows = wanted()
    selector = compile("a").selectors[0].selector
    for tick in range(5_000):
        now = T0 + tick * 10_000
        windows.add(metric_batch("i", SERIES[:1], [1.0], [now]), np.array([now]), now)
        assert windows.select(selector, 0, now).times.shape[1] <= 64


def test_series_that_fell_silent_are_forgotten_and_may_come_back() -> None:
    windows = Windows(compile("a").selectors)
    many = [labels_of({"__name__": "a", "instance": f"i{n:04d}"}) for n in range(400)]
    windows.add(metric_batch("i", many, [1.0] * 400, [T0]), np.array([T0]), T0)
    selector = compile("a").selectors[0].selector
    assert len(windows.select(selector, 0, T0).series) == 400
    now = T0 + 400_000
    windows.add(metric_batch("i", many[:10], [2.0] * 10, [now]), np.array([now]), now)
    assert len(windows.select(selector, 0, now).series) == 10
    assert len(windows) == 10
    windows.add(metric_batch("i", many[395:], [3.0] * 5, [now]), np.array([now]), now)
    columns = windows.select(selector, 0, now)
    assert [dict(labels)["instance"] for labels in columns.series.labels][-1] == "i0399"
    assert columns.values[-1, 0] == 3.0


def test_the_same_series_set_is_the_same_object_so_that_label_work_is_done_once() -> None:
    windows = wanted()
    selector = compile("a").selectors[0].selector
    seen = []
    for tick in range(3):
        now = T0 + tick
        windows.add(metric_batch("i", SERIES, [1.0] * 9, [now]), np.array([now]), now)
        seen.append(windows.select(selector, 0, now).series)
    assert seen[0] is seen[1] is seen[2]


@pytest.mark.parametrize(
    ("limits", "held", "reasons"),
    [
        (Limits(series=2), 2, {"series refused": 4}),
        (
            Limits(series_per_metric=1),
            2,
            {"series refused: metric a": 2, "series refused: metric b": 2},
        ),
        (
            Limits(series_per_instance=1),
            3,
            {f"series refused: instance {name}": 1 for name in "xyz"},
        ),
    ],
)
def test_more_series_than_a_limit_are_refused_and_counted_by_reason(
    limits: Limits, held: int, reasons: dict[str, int]
) -> None:
    uses = [use for expr in ("a", "b") for use in compile(expr).selectors]
    windows = Windows(uses, limits)
    for now in (T0, T0 + 1):
        windows.add(metric_batch("i", SERIES, [1.0] * 9, [now]), np.array([now]), now)
    assert len(windows) == held
    assert windows.dropped() == reasons
    assert windows.dropped() == {}


def test_names_of_refused_instances_are_bounded() -> None:
    admission = Admission(Limits(series_per_instance=1))
    for i in range(2 * NAMED):
        admission.admits("m", str(i))
        admission.admits("m", str(i))
    refused = admission.refused()
    assert len(refused) == NAMED + 1
    assert refused["series refused: others"] == NAMED


def test_an_index_behind_the_last_series_is_undecodable() -> None:
    with pytest.raises(Undecodable, match="behind the last series"):
        wanted().add(metric_batch("i", SERIES, [1.0], [T0], [9]), np.array([T0]), T0)


def test_a_source_within_an_instance_sees_its_series_alone_and_new_ones_as_they_come() -> None:
    windows = wanted()
    selector = compile("a").selectors[0].selector
    within = windows.within("x")
    assert len(within.select(selector, 0, T0).series) == 0
    windows.add(metric_batch("i", SERIES, [float(n) for n in range(9)], [T0]), np.array([T0]), T0)
    columns = within.select(selector, T0 - REACH, T0)
    assert columns.series.labels == (SERIES[0],)
    assert columns.values.tolist() == [[0.0]]
    assert within.select(selector, 0, T0 + 1).series is columns.series
    assert windows.within("nobody").select(selector, 0, T0).counts.size == 0


def test_series_that_begin_at_different_times_share_a_matrix() -> None:
    windows = Windows(compile("a").selectors)
    selector = compile("a").selectors[0].selector
    many = [labels_of({"__name__": "a", "instance": f"i{n:05d}"}) for n in range(5_000)]
    for tick in range(40):
        now = T0 + tick * 10_000
        for each in many[: 100 * tick : 100]:
            windows.add(metric_batch("i", [each], [float(tick)], [now]), np.array([now]), now)
    columns = windows.select(selector, now - REACH, now)
    held = [
        [time for time in row[:count] if time > now - REACH]
        for row, count in zip(columns.times.tolist(), columns.counts.tolist(), strict=True)
    ]
    assert [len(times) for times in held] == [min(30, 39 - n) for n in range(39)]
    assert all(times[-1] == now for times in held)


def test_a_year_without_a_restart_keeps_times_exact() -> None:
    windows = Windows(compile("a").selectors)
    selector = compile("a").selectors[0].selector
    for day in range(0, 365, 5):
        now = T0 + day * 86_400_000
        for back in (20_000, 0):
            at = now - back
            windows.add(metric_batch("i", SERIES[:1], [float(day)], [at]), np.array([at]), now)
        columns = windows.select(selector, now - REACH, now)
        assert columns.times[0, : columns.counts[0]].tolist()[-2:] == [now - 20_000, now]
