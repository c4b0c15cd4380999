import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.rules.file import BadRules
from tests.support.detecting import Run, every, facts, rule_of, series

A = series("probe_failed", site="eu", target="shop")


def test_three_failures_of_the_last_five_results() -> None:
    results = [0, 1, 0, 1, 1, 0, 0, 0]
    run = Run(
        rule_of("m_of_n", expr="probe_failed", failures=3, of=5),
        {A: every(15, 105, lambda s: float(results[int(s // 15)]))},
    )
    found = [bool(each.findings) for _, each in run.until(105)]
    assert found == [False, False, False, False, True, True, False, False]


def test_failures_within_minutes_leave_the_window_at_its_left_edge() -> None:
    run = Run(
        rule_of("m_of_n", expr="probe_failed", failures=2, within="1m"),
        {A: every(15, 150, lambda s: float(s in (15, 60)))},
    )
    told = run.until(150)
    assert [at for at, each in told if each.findings] == [60]
    ((_, found),) = [each for each in told if each[1].findings]
    assert facts(found.findings[0]) == {"failures": "2 in 1m 0s"}


def test_a_quorum_of_sites_is_asked_before_a_target_is_down() -> None:
    sites = {
        series("probe_failed", site=site, target="shop"): every(15, 60, lambda s, at=at: s >= at)
        for site, at in (("eu", 15), ("us", 30), ("asia", 1000))
    }
    run = Run(rule_of("m_of_n", expr="probe_failed", failures=2, across="site"), sites)
    told = run.until(60)
    assert [at for at, each in told if each.findings] == [30, 45, 60]
    (finding,) = run.found.findings
    assert finding.labels == (("target", "shop"),)
    assert facts(finding) == {"failures": "2 of 3 sites", "sites": "eu, us"}


def test_a_quorum_wants_enough_sites_to_ask() -> None:
    rule = rule_of("m_of_n", expr="probe_failed", failures=1, across="site", at_least=2)
    assert not Run(rule, {A: every(15, 15, lambda _: 1.0)}).at(15).findings


@pytest.mark.parametrize("way", [{"of": 5}, {"within": "90s"}])
@given(
    results=st.lists(st.sampled_from([0.0, 1.0, None]), min_size=1, max_size=40),
    cuts=st.sets(st.integers(0, 40), max_size=5),
)
def test_a_restart_changes_nothing(
    way: dict[str, object], results: list[float | None], cuts: set[int]
) -> None:
    rule = rule_of("m_of_n", expr="last_over_time(probe_failed[15s])", failures=2, **way)
    samples = {A: every(15, 15 * len(results) - 15, lambda s: results[int(s // 15)])}
    whole, cut = Run(rule, samples), Run(rule, samples)
    for i in range(len(results)):
        if i in cuts:
            cut.restart()
        assert cut.at(15 * i) == whole.at(15 * i)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "m_of_n: needs one of 'of', 'within' and 'across'"),
        ({"of": 3, "within": "1m"}, "needs one of"),
        ({"of": 1}, "m_of_n.of: 2 failures of 1 never happen"),
        ({"within": "1m", "at_least": 3}, "at_least: does not go with 'within'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadRules, match=said):
        rule_of("m_of_n", expr="x", failures=2, **options)
