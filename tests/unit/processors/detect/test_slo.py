"""SLOs: which burn rates, who is paged, and what is refused."""

from typing import Any

import numpy as np
import pytest
import yaml

from processors.detect.slo_options import SloOptions, burns
from processors.rules.file import BadRules, load
from processors.rules.group import DetectRule
from tests.support.detecting import facts, rule_of, series
from tests.support.flow import Flow, Value, Watch, counter

MINUTE, HOUR, DAY = 60, 3600, 86_400
RATIO = {
    "bad": 'sum by (s) (rate(r{code=~"5.."}[5m]))',
    "total": "sum by (s) (rate(r[5m]))",
}


def slo(**options: Any) -> DetectRule:
    written = {"name": "shop", "objective": 99.9, **RATIO, **options}
    return rule_of("slo", **{name: value for name, value in written.items() if value is not None})


def traffic(good: Value, bad: Value) -> Flow:
    return Flow({series("r", code="200", s="a"): good, series("r", code="500", s="a"): bad}, 30)


def standing(found: Any) -> set[str]:
    return {dict(each.labels)["long_window"] for each in found.findings}


def refused(**options: Any) -> str:
    with pytest.raises(BadRules) as caught:
        slo(**options)
    return str(caught.value)


def test_the_burn_rates_are_the_workbooks() -> None:
    found = burns(SloOptions(name="x", objective=99.9, good="g", total="t"))
    assert [(each.long // 60_000, each.short // 60_000, each.severity) for each in found] == [
        (60, 5, "page"),
        (360, 30, "page"),
        (1440, 120, "ticket"),
        (4320, 360, "ticket"),
    ]
    assert [each.rate for each in found] == pytest.approx([14.4, 6, 3, 1])


def test_for_28_days_they_are_scaled() -> None:
    options = SloOptions.model_validate(
        {"name": "x", "objective": 99.9, "good": "g", "total": "t", "window": "4w"}
    )
    assert [each.rate for each in burns(options)] == pytest.approx([13.44, 5.6, 2.8, 14 / 15])
    assert [dict(each.labels)["burn"] for each in burns(options)] == [
        "13.44",
        "5.6",
        "2.8",
        "0.9333",
    ]


def test_ten_times_too_many_errors_page_nobody_but_twenty_do() -> None:
    history = counter((-10 * DAY, 100))
    for burn, pages in ((10, False), (20, True)):
        watch = Watch(slo(), traffic(history, counter((DAY, 100 * burn / 1000))))
        list(watch.run(0, DAY, 600))
        found = dict(watch.run(DAY, DAY + 65 * MINUTE, 60))[DAY + 65 * MINUTE]
        assert ("1h" in standing(found)) is pages


def test_an_alert_begins_when_the_long_window_has_burnt_its_share_and_ends_with_the_short_one() -> (
    None
):
    # 10 % errors burn at 100: an hour's window at 14.4 is full after 60 x 14.4 / 100 = 8.64 min.
    watch = Watch(slo(), traffic(counter((-DAY, 90)), counter((DAY, 10), (DAY + 1800, 0))))
    list(watch.run(0, DAY, 600))
    times = [at for at, found in watch.run(DAY, DAY + HOUR, 60) if "1h" in standing(found)]
    assert times[0] == DAY + 9 * MINUTE
    # 5 minutes' errors are 14.4 times the budget or less once 1.44 / 10 of the window had them.
    assert times[-1] == DAY + 30 * MINUTE + 4 * MINUTE


def test_one_error_at_night_pages_nobody() -> None:
    quiet = traffic(counter((-10 * DAY, 0.04)), counter((DAY, 1 / 30), (DAY + 30, 0)))
    watch = Watch(slo(objective=99.99), quiet)
    assert not any(standing(found) for _, found in watch.run(DAY - HOUR, DAY + HOUR, 60))
    eager = Watch(slo(objective=99.99, min_errors=1), quiet)
    assert any("1h" in standing(found) for _, found in eager.run(DAY - HOUR, DAY + HOUR, 60))
    fewer = Watch(slo(objective=99.99, min_errors=1, min_requests=1000), quiet)
    assert not any("1h" in standing(found) for _, found in fewer.run(DAY - HOUR, DAY + HOUR, 60))


def test_a_finding_tells_its_windows_and_its_numbers() -> None:
    watch = Watch(slo(), traffic(counter((-DAY, 8)), counter((-DAY, 2))))
    found = dict(watch.run(0, 2 * HOUR, 60))[2 * HOUR]
    page = next(each for each in found.findings if ("long_window", "1h") in each.labels)
    assert dict(page.labels) == {
        "s": "a",
        "slo": "shop",
        "long_window": "1h",
        "short_window": "5m",
        "burn": "14.4",
        "severity": "page",
    }
    assert page.value == pytest.approx(200)
    assert facts(page)["observed"] == "200 over 1h, 200 over 5m"
    assert facts(page)["errors"] == "7,200 of 36,000 requests in 1h"
    assert facts(page)["budget_remaining"].startswith("-1.99e+04 % of 30d")


def test_the_rules_own_severity_wins() -> None:
    text = yaml.safe_dump(
        {
            "groups": [
                {
                    "name": "g",
                    "rules": [
                        {
                            "alert": "A",
                            "labels": {"severity": "mine"},
                            "detect": {"slo": {"name": "x", "objective": 99, **RATIO}},
                        }
                    ],
                }
            ]
        }
    )
    from processors.rules.group import Memory

    group = load(text, "f.yml").groups[0]
    flow = traffic(counter((-DAY, 8)), counter((-DAY, 2)))
    memory = Memory()
    for minute in range(0, 240, 5):
        found = group.evaluate(flow, T0_MS + minute * 60_000, memory)
        memory = found.memory
    assert {dict(labels)["severity"] for labels in memory.alerts[group.keys[0]]} == {"mine"}


T0_MS = 1_700_000_000_000 - 1_700_000_000_000 % 3_600_000


def test_latency_counts_the_bucket_of_the_threshold() -> None:
    rate = {"0.25": 9.0, "0.5": 9.5, "+Inf": 10.0}
    flow = Flow({series("d_bucket", le=le, s="a"): counter((-DAY, v)) for le, v in rate.items()})
    options = {"latency": {"histogram": 'd{s="a"}', "threshold": 0.25}, "bad": None, "total": None}
    watch = Watch(slo(**options), flow)
    found = dict(watch.run(0, HOUR, 60))[HOUR]
    rates = {dict(k).get("window"): v for k, v in found.samples if "burn" in dict(k)["__name__"]}
    assert rates["1h"] == pytest.approx(100)
    other = slo(**{**options, "latency": {"histogram": "d", "threshold": 0.3}})
    with pytest.raises(Exception, match=r"no bucket has the bound le=0\.3"):
        Watch(other, flow).at(HOUR)


def test_good_and_total_say_the_same_as_bad_and_total() -> None:
    flow = traffic(counter((-DAY, 98)), counter((-DAY, 2)))
    good = slo(bad=None, good='sum by (s) (increase(r{code!~"5.."}[1h]))')
    by = slo(bad='r{code=~"5.."}', total="r", by=["s"])
    runs = [Watch(rule, flow) for rule in (slo(), good, by)]
    found = [[watch.at(at) for at in range(0, HOUR, 60)][-1] for watch in runs]
    assert found[0] == found[1] == found[2]
    assert standing(found[0]) == {"1h", "6h", "1d", "3d"}


def test_probes_count_by_their_samples() -> None:
    flow = Flow({series("up", s="a"): lambda at: np.where(at % 100 < 50, 1.0, 0.0)}, 10)
    watch = Watch(
        slo(
            bad=None,
            good="sum by (s) (sum_over_time(up[1m]))",
            total="sum by (s) (count_over_time(up[1m]))",
        ),
        flow,
    )
    found = dict(watch.run(0, 2 * HOUR, 60))[2 * HOUR]
    (rate,) = [v for k, v in found.samples if ("window", "1h") in k]
    assert rate == pytest.approx(500, rel=1e-6)


def test_errors_without_a_total_are_requests_too() -> None:
    flow = Flow({series("e", s="a"): counter((-DAY, 2)), series("t", s="b"): counter((-DAY, 10))})
    watch = Watch(slo(bad="sum by (s) (e)", total="sum by (s) (t)"), flow)
    found = dict(watch.run(0, HOUR, 60))[HOUR]
    assert {dict(each.labels)["s"] for each in found.findings} == {"a"}


def test_an_objective_that_makes_a_burn_rate_unreachable_is_warned_of() -> None:
    text = yaml.safe_dump(
        {
            "groups": [
                {
                    "name": "g",
                    "rules": [
                        {
                            "alert": "A",
                            "detect": {"slo": {"name": "x", "objective": 90.0, **RATIO}},
                        }
                    ],
                }
            ]
        }
    )
    (warning,) = load(text, "f.yml").warnings
    assert warning.key == "groups[0].rules[0].detect.slo.objective"
    assert "burn rate 14.4 over 1h can never be exceeded" in warning.message
    assert "raise the objective above 93.06 %" in warning.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": "7d"}, "slo.window: Input should be '30d' or '28d'"),
        ({"objective": 100}, "slo.objective: Input should be less than 100"),
        ({"bad": None}, "needs one indicator: good and total, bad and total, or latency"),
        ({"good": "x"}, "needs one indicator"),
        ({"total": "avg(x)"}, "slo.total: could not use expression: 'avg' does not add up"),
        ({"total": "x"}, "slo.total: could not use expression: says not by which labels to sum"),
        ({"bad": "sum(x offset 5m)"}, "slo.bad: could not use expression: a counter is counted as"),
        ({"bad": "sum(x) / sum(y)"}, "'/' does not add up over time"),
        ({"bad": "sum("}, "slo.bad: could not use expression: "),
        ({"alerts": [{"budget": 2, "long": "1h", "short": "1h"}]}, "'short' must be shorter"),
        ({"alerts": [{"budget": 2, "long": "7d", "short": "1h"}]}, "less than or equal to"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(options: Any, message: str) -> None:
    assert message in refused(**options)
