"""The error budget is counted exactly, and nothing loses it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.detect.slo import Slo
from processors.promql.columns import Columns, Source
from processors.promql.memory import MemorySource
from processors.promql.selector import Selector
from processors.rules.group import DetectRule
from tests.support.detecting import T0, rule_of, series
from tests.support.flow import Flow, Watch, counter

MINUTE, HOUR, DAY = 60, 3600, 86_400


def slo(**options: Any) -> DetectRule:
    written = {"name": "x", "objective": 99, "bad": "bad", "total": "all", "by": ["s"], **options}
    return rule_of("slo", **written)


def resetting(per_second: float, every: float) -> Any:
    """A counter that begins at zero every so many seconds."""
    return lambda at: per_second * (at % every)


@st.composite
def days(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[float]]:
    """When how many errors a minute begin, and instants to look at, in seconds."""
    starts = sorted(draw(st.lists(st.integers(0, 5 * 144), min_size=1, max_size=8, unique=True)))
    rates = draw(st.lists(st.integers(0, 20), min_size=len(starts), max_size=len(starts)))
    looks = draw(st.lists(st.integers(1, 5 * 144), min_size=1, max_size=6, unique=True))
    phases = [(start * 600.0, rate / 60) for start, rate in zip(starts, rates, strict=True)]
    return phases, sorted(look * 600.0 for look in looks)


def burn_rates(found: Any) -> dict[str, float]:
    names = [(dict(labels), value) for labels, value in found.samples]
    return {n["window"]: v for n, v in names if n["__name__"] == "slo:burn_rate:ratio"}


@settings(max_examples=5, deadline=None)
@given(days())
def test_burn_rates_are_those_of_the_events_in_the_windows(day: Any) -> None:
    phases, looks = day
    bad = counter(*phases)
    flow = Flow({series("all", s="a"): counter((-DAY, 1)), series("bad", s="a"): bad}, 60)
    watch = Watch(slo(), flow)
    told = {at: found for at, found in watch.run(0, looks[-1], 300) if at in looks}
    spans = {"5m": 300, "30m": 1800, "1h": HOUR, "2h": 2 * HOUR, "6h": 6 * HOUR, "1d": DAY}
    for at, found in told.items():
        for name, span in {**spans, "3d": 3 * DAY, "30d": 30 * DAY}.items():
            start = max(at - span, -300)  # counting began five minutes before the first instant
            grown = np.diff(bad(np.array([start, at], float)))[0]
            assert burn_rates(found)[name] == pytest.approx(grown / (at - start) / 0.01, rel=1e-9)


def test_counters_that_are_reset_go_on_counting() -> None:
    flow = Flow({series("all", s="a"): resetting(10, 1000), series("bad", s="a"): counter((0, 1))})
    watch = Watch(slo(), flow)
    found = dict(watch.run(0, HOUR, 15))[HOUR]
    names = {dict(labels)["__name__"]: value for labels, value in found.samples}
    # 55 minutes are final, and counting began 5 minutes before; what was counted in the 15 s
    # before each of the three resets is not seen, of whatever was there after them all is.
    assert names["slo:events_total"] == pytest.approx(10 * HOUR, rel=0.02)
    assert names["slo:events_total"] - names["slo:good_events_total"] == 55 * MINUTE


class Late(Flow):
    """A flow whose samples arrive four minutes after their time."""

    def __init__(self, flow: Flow) -> None:
        self._inner = flow
        self.now = 0

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        return self._inner.select(selector, start, min(end, self.now - 240_000))


def test_late_samples_are_counted_in_their_time() -> None:
    flow = Flow({series("all", s="a"): counter((-DAY, 10)), series("bad", s="a"): counter((0, 1))})
    late = Late(flow)
    watch = Watch(slo(), late)
    for at in range(0, 2 * HOUR, 15):
        late.now = T0 + at * 1000
        found = watch.at(at)
    names = {dict(labels)["__name__"]: value for labels, value in found.samples}
    assert names["slo:events_total"] == 10 * (2 * HOUR - 15)


def spiky(rng: np.random.Generator, hosts: int = 3) -> Flow:
    found = {}
    for host in range(hosts):
        starts = np.sort(rng.integers(0, 4 * HOUR, 6)).tolist()
        phases = [(start, float(rng.integers(0, 30)) / 10) for start in starts]
        found[series("bad", s=f"{host % 2}", i=str(host))] = counter(*phases)
        found[series("all", s=f"{host % 2}", i=str(host))] = counter((-DAY, 10))
    return Flow(found, 30)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1000), st.sets(st.integers(1, 130), max_size=6))
def test_a_cut_anywhere_changes_nothing(seed: int, cuts: set[int]) -> None:
    flow = spiky(np.random.default_rng(seed))
    whole, cut = Watch(slo(), flow), Watch(slo(), flow)
    for place in range(130):
        if place in cuts:
            cut.restart()
        assert cut.at(place * 60) == whole.at(place * 60)


def test_the_order_of_series_changes_nothing() -> None:
    flow = spiky(np.random.default_rng(1), 9)
    turned = Flow(dict(reversed(flow._series.items())), 30)
    one, other = Watch(slo(), flow), Watch(slo(), turned)
    assert [found for _, found in one.run(0, 2 * HOUR, 60)] == [
        found for _, found in other.run(0, 2 * HOUR, 60)
    ]
    assert one.kept == other.kept


def test_what_was_spent_outlives_a_gap_of_a_day_and_is_spent_for_thirty() -> None:
    flow = Flow(
        {
            series("all", s="a"): counter((-DAY, 10)),
            series("bad", s="a"): counter((0, 1), (HOUR, 0)),
        }
    )
    watch = Watch(slo(), flow)
    list(watch.run(0, 2 * HOUR, 60))
    watch.restart()
    after = watch.at(DAY)
    names = {dict(labels)["__name__"]: value for labels, value in after.samples}
    # Nobody watched for most of the day: its errors are as many, its requests are not counted.
    assert names["slo:events_total"] - names["slo:good_events_total"] == HOUR
    assert burn_rates(after)["1d"] == pytest.approx(100 * HOUR / 10 / (2 * HOUR + 600), rel=1e-9)
    assert burn_rates(watch.at(30 * DAY - HOUR))["30d"] > 1
    assert burn_rates(watch.at(30 * DAY + 2 * HOUR))["30d"] == 0


def test_other_limits_go_on_with_the_same_budget() -> None:
    flow = Flow({series("all", s="a"): counter((-DAY, 10)), series("bad", s="a"): counter((0, 1))})
    watch = Watch(slo(), flow)
    found = dict(watch.run(0, HOUR, 60))[HOUR]
    stricter = slo(objective=99.9).detector
    assert isinstance(stricter, Slo)
    watch.detection = stricter.resume(watch.detection)
    again = watch.at(HOUR + 60)
    assert burn_rates(again)["1h"] == pytest.approx(10 * burn_rates(found)["1h"], rel=0.02)


def test_alerts_are_held_while_nothing_is_known_and_no_longer_than_the_bound() -> None:
    def until(stop: float, rate: float) -> Any:
        return lambda at: np.where(at <= stop, rate * (at + DAY), np.nan)

    flow = Flow({series("all", s="a"): until(HOUR, 10), series("bad", s="a"): until(HOUR, 2)})
    watch = Watch(slo(hold="30m"), flow)
    told = dict(watch.run(0, 3 * HOUR, 60))
    page = {"long_window": "1h", "severity": "page"}
    held = [
        at for at, found in told.items() if any(page.items() <= dict(k).items() for k in found.held)
    ]
    found = [
        at
        for at, found in told.items()
        if any(page.items() <= dict(each.labels).items() for each in found.findings)
    ]
    assert found[-1] + 60 == held[0]
    assert held[-1] - held[0] == 30 * MINUTE - (held[0] - HOUR - 5 * MINUTE)
    assert set(found).isdisjoint(held)


def test_a_step_writes_only_what_changed() -> None:
    hosts = 50
    flow = Flow(
        {
            series(name, s=str(i)): counter((-DAY, 1))
            for i in range(hosts)
            for name in ("all", "bad")
        },
        60,
    )
    watch = Watch(slo(), flow)
    list(watch.run(0, 1800, 60))
    assert max(len(value) for value in watch.kept.values()) < 1_000_000
    # A chunk of 8 minutes, and the totals: good and all of each, as 8 bytes.
    assert min(watch.written) >= hosts * 2 * 8
    assert np.median(watch.written[10:]) <= hosts * 2 * 8 * 9 + 1000


def test_more_series_than_the_limit_fail() -> None:
    flow = Flow({series("all", s=str(i)): counter((-DAY, 1)) for i in range(3)})
    with pytest.raises(Exception, match="more than 2 series: raise max_series"):
        Watch(slo(max_series=2), flow).at(HOUR)


def test_nothing_at_all_is_no_finding() -> None:
    source: Source = MemorySource.of([])
    assert slo().detector.begin({}).step(source, T0).findings == ()


def test_only_what_is_counted_decides_whether_a_rule_goes_on() -> None:
    def slot(**options: Any) -> str:
        return slo(**options).slot("key")

    assert slot() == slot(objective=99.9, min_requests=7, window="28d", alerts=[PAIR])
    assert len({slot(), slot(by=["i"]), slot(bad="worse"), slot(total="every")}) == 4


PAIR = {"budget": 2, "long": "1h", "short": "5m"}
