import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.detect.flapping import CHANGES, WEIGHTS, rate
from processors.rules.file import BadRules
from tests.support.detecting import Run, every, facts, rule_of, series

UP = series("up", instance="a")


def test_weights_are_those_of_nagios() -> None:
    assert WEIGHTS[0] == pytest.approx(0.80)
    assert np.diff(WEIGHTS) == pytest.approx(np.full(CHANGES - 1, 0.02))
    assert rate(np.ones((1, CHANGES)))[0] == pytest.approx(sum(WEIGHTS) / 20 * 100)


def test_a_result_that_changes_each_time_flaps_until_it_is_steady() -> None:
    def up(second: float) -> float:
        return second // 15 % 2 if second < 600 else 1.0

    run = Run(rule_of("flapping", expr="up", high=50, low=20), {UP: every(15, 1200, up)})
    flaps = [at for at, found in run.until(1200) if found.findings]
    # From the first result on: weights of the newest changes are summed until they reach 50 %.
    needed = next(n for n in range(1, 21) if sum(WEIGHTS[-n:]) / 20 * 100 >= 50)
    assert flaps[0] == 15 * needed
    # Steady from 585 s on; the old changes move out and weigh less.
    quiet = next(n for n in range(21) if sum(WEIGHTS[: 20 - n]) / 20 * 100 < 20)
    assert flaps[-1] == 585 + 15 * (quiet - 1)
    assert flaps == [flaps[0] + 15 * i for i in range(len(flaps))]


def test_a_finding_says_how_often_it_changed() -> None:
    run = Run(rule_of("flapping", expr="up", high=50), {UP: every(15, 600, lambda s: s // 15 % 2)})
    run.until(600)
    (finding,) = run.found.findings
    assert finding.labels == (("instance", "a"),)
    assert facts(finding) == {"change_rate": "99%", "changes": "20 of 20"}


def test_a_series_without_results_stands_as_it_is() -> None:
    samples = every(15, 600, lambda s: s // 15 % 2)
    run = Run(rule_of("flapping", expr="up"), {UP: samples})
    run.until(3000)
    assert len(run.found.findings) == 1


@given(
    results=st.lists(st.sampled_from([0.0, 1.0, None]), min_size=1, max_size=60),
    cuts=st.sets(st.integers(0, 60), max_size=5),
)
def test_a_restart_changes_nothing(results: list[float | None], cuts: set[int]) -> None:
    rule = rule_of("flapping", expr="last_over_time(up[15s])", high=30, low=10)
    samples = {UP: every(15, 15 * len(results) - 15, lambda s: results[int(s // 15)])}
    whole, cut = Run(rule, samples), Run(rule, samples)
    for i in range(len(results)):
        if i in cuts:
            cut.restart()
        assert cut.at(15 * i) == whole.at(15 * i)


def test_thresholds_that_cross_are_refused() -> None:
    with pytest.raises(BadRules, match=r"detect.flapping.low: must be below 'high'"):
        rule_of("flapping", expr="up", high=20, low=30)
