from textwrap import dedent

import pytest

from processors.rule_tests.file import cases, chosen, ordered, parsed
from processors.rule_tests.model import BadTests
from processors.rules.file import load

RULES = """
groups:
- name: later
  rules:
  - {record: "r:twice", expr: "r * 2"}
- name: first
  interval: 1h
  rules:
  - {record: r, expr: "m + 1"}
  - alert: High
    expr: m > 2
    for: 2m
    keep_firing_for: 1m
    annotations: {text: "{{ $labels.a }}: {{ $value }}"}
  - {alert: Told, expr: 'ALERTS{alertname="High", alertstate="firing"}'}
"""
TESTS = """
evaluation_interval: 1m
group_eval_order: [later, first]
tests:
- name: one
  interval: 1m
  input_series:
  - {series: 'm{a="x"}', values: '1+1x4 _x10'}
"""


def failures(asked: str, head: str = TESTS) -> tuple[str, ...]:
    tests = parsed(dedent(head) + asked)
    (case,) = cases(tests, [load(RULES, "r.yml", default_step=60_000)])
    return case.failures


def test_rules_run_at_the_evaluation_interval_and_see_what_was_recorded() -> None:
    assert failures(
        """\
  promql_expr_test:
  - {expr: r, eval_time: 2m, exp_samples: [{labels: 'r{a="x"}', value: 4}]}
  - {expr: "r:twice", eval_time: 2m, exp_samples: [{labels: 'r:twice{a="x"}', value: 6}]}
  - {expr: 'ALERTS_FOR_STATE{alertname="High"}', eval_time: 3m, exp_samples:
      [{labels: 'ALERTS_FOR_STATE{alertname="High", a="x"}', value: 120}]}
  - {expr: '1 + 1', eval_time: 30s, exp_samples: [{value: 2}]}
  alert_rule_test:
  - {eval_time: 3m, alertname: High}
  - {eval_time: 4m30s, alertname: High, exp_alerts: [
      {exp_labels: {a: x}, exp_annotations: {text: "x: 5"}}]}
  - {eval_time: 4m, alertname: Told, exp_alerts: [{exp_labels: {a: x, alertstate: firing}}]}
"""
    ) == ()  # fmt: skip


def test_what_fails_is_told_in_promtools_lines() -> None:
    assert failures(
        """\
  promql_expr_test:
  - {expr: r, eval_time: 2m, exp_samples: [{labels: 'r{a="x"}', value: 5}]}
  - {expr: nothing, eval_time: 2m, exp_samples: [{labels: 'r', value: 1e30}]}
  - {expr: 'sum(', eval_time: 2m}
  alert_rule_test:
  - {eval_time: 4m, alertname: High}
"""
    ) == (
        "    name: one,\n    alertname: High, time: 4m, \n        exp:[], \n        got:[\n"
        '            0:\n              Labels:{a="x", alertname="High"}\n'
        '              Annotations:{text="x: 5"}\n            ]',
        '    expr: "r", time: 2m,\n'
        '        exp: {__name__="r", a="x"} 5E+00\n        got: {__name__="r", a="x"} 4E+00',
        '    expr: "nothing", time: 2m,\n        exp: {__name__="r"} 1E+30\n        got: nil',
        '    expr: "sum(", time: 2m, err: unclosed left parenthesis',
    )


def test_a_rule_that_cannot_be_evaluated_ends_its_test() -> None:
    rules = load("groups: [{name: g, rules: [{record: r, expr: 'm + on () m'}]}]", "r.yml")
    text = TESTS + "  - {series: 'm{a=\"y\"}', values: '1'}\n  promql_expr_test: [{expr: r}]"
    (case,) = cases(parsed(text), [rules])
    (failure,) = case.failures
    assert failure.startswith("    rule: r, time: 0s, err: found duplicate series")


def test_values_one_unit_apart_agree_when_they_may() -> None:
    asked = "  promql_expr_test: [{expr: '0.1 + 0.2', exp_samples: [{value: 0.3}]}]"
    assert len(failures(asked)) == 1
    assert failures(asked, "fuzzy_compare: true" + TESTS) == ()


def test_groups_without_an_order_go_with_the_first() -> None:
    rules = load("groups: [{name: a}, {name: b}, {name: c}]", "r.yml")
    tests = parsed("group_eval_order: [c, a]")
    assert [group.name for group in ordered(tests, [rules])] == ["b", "c", "a"]


def test_tests_are_chosen_by_their_names() -> None:
    runs = chosen(["^a", "z$"])
    assert [runs(name) for name in ("abc", "xyz", "bcd", "")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("foo: 1", ["  line 1: field foo not found in the test file"]),
        ("tests:\n- foo: 1\n  interval: 5x\n", [
            "  line 2: field foo not found in a test",
            "  line 3: tests.0.interval: not a valid duration string: '5x'",
        ]),
        ("tests:\n- promql_expr_test:\n  - exp_samples: [{value: high}]", [
            "  line 3: tests.0.promql_expr_test.0.exp_samples.0.value: "
            "'high' is no number: write .inf and .nan"]),
        ("group_eval_order: [a, a]", ["  line 1: group name repeated in evaluation order: a"]),
        ("tests: 5", ["  line 1: tests: Input should be a valid tuple: got '5'"]),
        ("- a", ["  line 1: the file: Input should be a valid dictionary or instance of TestFile"]),
        ("tests: [", ["  line 1: did not find expected node content"]),
        ("fuzzy_compare: maybe", ["  line 1: fuzzy_compare: 'maybe' is neither true nor false"]),
        ("tests:\n- start_timestamp: noon", [
            "  line 2: tests.0.start_timestamp: cannot parse 'noon' to a valid timestamp"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, problems: list[str]) -> None:
    with pytest.raises(BadTests) as bad:
        parsed(text)
    assert [str(problem) for problem in bad.value.problems] == problems


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("  alert_rule_test: [{eval_time: 1m}]",
         "an item under alert_rule_test misses required attribute alertname at eval_time 1m "
         "(in TestGroup one)"),
        ("  promql_expr_test: [{expr: m, eval_time: 100y}]",
         "the last eval_time is more than 1000000 evaluation intervals away"),
        ("  - {series: 'm{', values: '1'}", "input_series[1]: cannot read the series 'm{'"),
        ("  promql_expr_test: [{expr: m, exp_samples: [{histogram: '{{}}'}]}]",
         '    expr: "m", time: 0s, err: labels "": native histograms are not supported'),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(asked: str, said: str) -> None:
    (failure,) = failures(asked)
    assert failure.startswith(said)
