import pytest

from processors.rules.file import BadRules
from tests.support.detecting import T0, Run, every, facts, rule_of, series

A = series("up", instance="a", job="web")
B = series("up", instance="b", job="web")


def silent(run: Run, until: float, step: float = 15) -> list[float]:
    return [at for at, found in run.until(until, step) if found.findings]


def test_a_series_is_missed_after_the_declared_time_and_until_it_speaks() -> None:
    samples = {A: every(10, 1000, lambda s: None if 100 < s < 500 else 1.0)}
    run = Run(rule_of("absent", series="up", after="1m"), samples)
    found = silent(run, 600)
    assert found == [165 + 15 * i for i in range(23)]  # heard last at 100, again at 500
    assert found[-1] == 495


def test_an_interval_is_learned_from_the_series_itself() -> None:
    samples = {
        A: every(30, 3000, lambda s: 1.0 if s <= 1500 else None),
        B: every(240, 3000, lambda s: 1.0),
    }
    run = Run(rule_of("absent", series="up", factor=3), samples)
    found = silent(run, 1800)
    assert found[0] == 1500 + 3 * 30 + 15
    (finding,) = run.found.findings
    assert dict(finding.labels)["instance"] == "a"
    assert facts(finding) == {
        "state": "no data",
        "last_seen": "2023-11-14T22:25:00Z",
        "expected_within": "1m 30s",
    }
    assert finding.value == 300


def test_a_silence_does_not_become_the_interval() -> None:
    gone = {A: every(30, 20_000, lambda s: None if 1500 < s < 9000 else 1.0)}
    run = Run(rule_of("absent", series="up", factor=3), gone)
    run.until(9300, 15)
    assert facts_of_bound(run) is None
    later = {A: every(30, 9300, lambda s: None if 1500 < s < 9000 else 1.0)}
    run = Run(rule_of("absent", series="up", factor=3), later)
    found = [at for at, each in run.until(9600, 15) if each.findings and at > 9300]
    assert found[0] == 9300 + 3 * 30 + 15


def facts_of_bound(run: Run) -> str | None:
    return next((facts(each)["expected_within"] for each in run.found.findings), None)


def test_a_job_is_silent_when_all_of_it_is() -> None:
    samples = {
        A: every(10, 1000, lambda s: 1.0 if s <= 100 else None),
        B: every(10, 1000, lambda s: 1.0 if s <= 300 else None),
    }
    run = Run(rule_of("absent", series="up", by=["job"], after="1m"), samples)
    assert silent(run, 400)[0] == 375
    assert run.found.findings[0].labels == (("job", "web"),)


def test_who_is_expected_and_never_speaks_is_missed() -> None:
    rule = rule_of(
        "absent",
        series="up",
        by=["instance"],
        after="1m",
        expect=[{"instance": "a"}, {"instance": "z"}],
    )
    run = Run(rule, {A: every(10, 200, lambda _: 1.0)})
    assert silent(run, 150)[0] == 75
    assert run.found.findings[0].labels == (("instance", "z"),)


def test_who_is_long_gone_is_forgotten_and_who_is_expected_never() -> None:
    rule = rule_of(
        "absent", series="up", by=["instance"], after="1m", forget="10m", expect=[{"instance": "z"}]
    )
    run = Run(rule, {A: every(10, 100, lambda _: 1.0)})
    run.until(2000, 50)
    assert [each.labels for each in run.found.findings] == [(("instance", "z"),)]


def test_a_restart_misses_who_was_silent_and_who_fell_silent_meanwhile() -> None:
    samples = {
        A: every(10, 5000, lambda s: 1.0 if s <= 200 else None),
        B: every(10, 5000, lambda s: 1.0 if s <= 1000 else None),
    }
    run = Run(rule_of("absent", series="up", after="1m"), samples)
    run.until(900)
    run.restart()
    assert len(run.at(915).findings) == 1
    run.restart()  # nobody was there for an hour: what was written is up to a minute old
    found = run.at(4500).findings
    assert len(found) == 2
    by_instance = {dict(each.labels)["instance"]: each.value for each in found}
    assert by_instance["a"] == pytest.approx(4300, abs=60)
    assert by_instance["b"] == pytest.approx(4500 - 915, abs=60)
    assert T0 % 1000 == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expect": [{"instance": "a"}]}, "expect: needs 'by'"),
        ({"by": ["job"], "expect": [{"instance": "a"}], "after": "1m"}, "names other labels"),
        ({"by": ["instance"], "expect": [{"instance": "a"}]}, "after: is needed with 'expect'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadRules, match=said):
        rule_of("absent", series="up", **options)
