"""Spikes: against the same hour of the week, on enough events, without learning from themselves."""

from typing import Any

import numpy as np
import pytest

from processors.rules.file import BadRules
from tests.support.detecting import facts, rule_of, series
from tests.support.flow import Flow, Value, Watch, counter

MINUTE, HOUR, DAY = 60, 3600, 86_400


def watch(bad: Value, events: float = 10, **options: Any) -> Watch:
    written = {"bad": "sum by (s) (bad)", "total": "sum by (s) (rate(all[5m]))", **options}
    flow = {series("all", s="a"): counter((-DAY, events)), series("bad", s="a"): bad}
    return Watch(rule_of("spike", **written), Flow(flow, 60))


def odd(watch: Watch, start: float, end: float, step: float = 0) -> list[float]:
    """When it finds something; with a minute's step where something may happen."""
    quiet = start if step else max(start, START - HOUR)
    found = [at for at, found in watch.run(start, quiet - 1, 300) if found.findings]
    return found + [at for at, found in watch.run(quiet, end, step or 60) if found.findings]


START, END = 26 * HOUR, 26 * HOUR + 1800


def burst(start: float, end: float, usual: float = 0.1, more: float = 1.0) -> Value:
    return counter((-DAY, usual), (start, more), (end, usual))


def test_a_spike_is_found_from_its_first_minutes_to_its_last() -> None:
    watching = watch(burst(START, END))
    found = odd(watching, 0, 28 * HOUR)
    # One minute of five at 10 % and four at 1 % are 2.8 %; so are the last.
    assert (found[0], found[-1]) == (START + MINUTE, END + 4 * MINUTE)


def test_a_finding_tells_what_is_usual_and_when() -> None:
    watching = watch(burst(START, END))
    told = dict(watching.run(0, START + 5 * MINUTE, 60))
    (finding,) = told[START + 5 * MINUTE].findings
    assert finding.value == pytest.approx(0.1)
    assert facts(finding)["expected"].startswith("1 %, as at this hour of the day")
    assert facts(finding)["observed"] == "10 %"
    assert facts(finding)["events"] == "300 of 3,000"


def test_nothing_is_found_while_it_has_learned_too_little() -> None:
    early = burst(20 * HOUR, 20 * HOUR + 1800)
    assert odd(watch(early), 0, 21 * HOUR, 300) == []
    assert odd(watch(early, warm_up="12h"), 0, 21 * HOUR, 300) != []


def test_few_events_small_changes_and_small_factors_are_no_spikes() -> None:
    assert odd(watch(burst(START, END, 0.001, 0.01), events=0.1), 0, 27 * HOUR) == []
    assert odd(watch(burst(START, END), min_change=0.2), 0, 27 * HOUR) == []
    assert odd(watch(burst(START, END), min_factor=20), 0, 27 * HOUR) == []


def test_the_spike_does_not_become_the_baseline() -> None:
    days = 4
    phases = [(-DAY * 1.0, 0.1)]
    for day in range(1, days):
        phases += [(day * DAY + 2 * HOUR, 1.0), (day * DAY + 2 * HOUR + 1800, 0.1)]
    found = odd(watch(counter(*phases)), 0, days * DAY, 300)
    assert {int(at // DAY) for at in found} == {1, 2, 3}


def test_what_stays_for_a_day_is_the_new_usual() -> None:
    watching = watch(counter((-DAY, 0.1), (START, 1.0)), adapt_after="6h", half_life="1d")
    found = odd(watching, 0, 9 * DAY, 300)
    assert found[0] <= START + 300
    assert START + 6 * HOUR < found[-1] < 8 * DAY


def test_what_is_usual_at_this_hour_of_the_week_is_no_spike() -> None:
    phases = [(-DAY * 1.0, 0.1)]
    for week in range(3):
        busy = week * 7 * DAY + 3 * DAY + 5 * HOUR
        phases += [(busy, 1.0), (busy + HOUR, 0.1)]
    watching = watch(counter(*phases))
    found = odd(watching, 0, 18 * DAY, 600)
    weeks = {int(at // (7 * DAY)) for at in found}
    assert weeks == {0, 1}  # the second week shows that it comes again


def test_down_is_found_where_it_is_asked_for() -> None:
    falls = burst(START, END, 1.0, 0.01)
    assert odd(watch(falls, direction="down"), 0, 27 * HOUR) != []
    assert odd(watch(falls), 0, 27 * HOUR) == []


def test_an_alert_is_held_while_nothing_is_counted() -> None:
    def gone(at: np.ndarray) -> np.ndarray:
        return np.where(at > END, np.nan, burst(START, DAY * 9)(at))

    rule = rule_of("spike", bad="sum by (s) (bad)", total="sum by (s) (all)", hold="10m")
    every = counter((-DAY, 10))
    silent = Flow(
        {
            series("all", s="a"): lambda at: np.where(at > END, np.nan, every(at)),
            series("bad", s="a"): gone,
        },
        60,
    )
    told = dict(Watch(rule, silent).run(0, END + HOUR, 60))
    held = [at for at, found in told.items() if found.held]
    assert held[-1] - held[0] == 600
    assert [at for at, found in told.items() if found.findings][-1] + 60 == held[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": "2h"}, "spike.window: Input should be less than or equal to"),
        ({"bad": "max(x)"}, "spike.bad: could not use expression: 'max' does not add up"),
        ({"total": "x"}, "spike.total: could not use expression: says not by which labels to sum"),
        ({"min_bad": 200}, "'min_bad' is more than 'min_events'"),
        ({"confidence": 1}, "spike.confidence: Input should be less than 1"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(options: Any, message: str) -> None:
    with pytest.raises(BadRules) as caught:
        rule_of("spike", **{"bad": "sum(x)", "total": "sum(y)", **options})
    assert message in str(caught.value)
