from textwrap import dedent

import pytest

from processors.rules.duration import milliseconds
from processors.rules.file import BadRules, load
from processors.rules.group import AlertRule, RecordRule
from processors.rules.lifecycle import Hold


def problems(text: str) -> list[str]:
    with pytest.raises(BadRules) as bad:
        load(dedent(text), "f.yml")
    return [str(each) for each in bad.value.problems]


def test_a_rule_file_becomes_groups() -> None:
    text = """
    groups:
    - name: hosts
      interval: 1m30s
      query_offset: 5s
      limit: 10
      labels: {team: ops, tier: 1}
      rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: |
          up == 0
        for: 5m
        keep_firing_for: 1h
        labels: {severity: "{{ $labels.sev }}", tier: 2}
        annotations: {summary: "{{ $labels.instance }} is down", empty: }
    """
    (group,) = load(dedent(text), "f.yml").groups
    assert (group.name, group.interval, group.limit, group.query_offset) == (
        "hosts",
        90_000,
        10,
        5000,
    )
    record, alert = group.rules
    assert isinstance(record, RecordRule)
    assert record.labels == (("team", "ops"), ("tier", "1"))
    assert isinstance(alert, AlertRule)
    assert alert.hold == Hold(300_000, 3_600_000)
    assert [(name, t.text) for name, t in alert.labels] == [
        ("severity", "{{ $labels.sev }}"),
        ("team", "ops"),
        ("tier", "2"),
    ]


def test_all_problems_are_told_at_once_with_their_lines() -> None:
    text = """\
    groups:
    - name: a
      intervall: 5m
      rules:
      - alert: x
        expr: foo >
        for: 5x
        labels: {a: "{{ $labels.x }"}
      - record: y
        expr: topk(1
        annotations: {a: b}
      - alert: z
        expr: up == 0
        annotations:
          d: "{{ $labels.x | foo }}"
    - name: b
      rules:
      - alert: q
        foo: 1
    - {name: b, rules: [{record: s, expr: '"text"'}, 7]}
    """
    assert problems(text) == [
        "f.yml:3: groups[0].intervall: unknown key 'intervall'",
        "f.yml:6: groups[0].rules[0].expr: could not use expression: invalid promql query: 'foo >'",
        "f.yml:7: groups[0].rules[0].for: not a valid duration string: '5x'",
        'f.yml:8: groups[0].rules[0].labels.a: label "a": template: __alert_x:1: '
        "unexpected \"}\" in operand: '{{ $labels.x }'",
        "f.yml:9: groups[0].rules[1]: invalid field 'annotations' in recording rule",
        "f.yml:10: groups[0].rules[1].expr: could not use expression: "
        "unclosed left parenthesis: 'topk(1'",
        'f.yml:15: groups[0].rules[2].annotations.d: annotation "d": template: __alert_z:1: '
        "function \"foo\" not defined: '{{ $labels.x | foo }}'",
        "f.yml:18: groups[1].rules[0]: field 'expr' must be set in rule",
        "f.yml:19: groups[1].rules[0].foo: unknown key 'foo'",
        "f.yml:20: groups[2].rules[0].expr: rule result is not a vector or scalar: '\"text\"'",
        "f.yml:20: groups[2].rules[1]: must be a mapping",
        "f.yml:20: groups[2].name: group 'b' is repeated in the same file",
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("groups:\n- &a {name: x}\n- *a\n", 3, "group 'x' is repeated in the same file"),
        ("groups: []\ngroups: []\n", 2, "key 'groups' is given twice"),
        ("groups: [", 1, "expected node content"),
        ("groups:\n- name: a\n  ? [x]\n  : y\n", 3, "a key must be plain text"),
        ("groups: \x01", 1, "special characters"),
        ("- a\n", 1, "must be a mapping"),
        ("groups: 5\n", 1, "must be a list"),
        ("groups: [5]\n", 1, "must be a mapping"),
        ("rules: []\n", 1, "unknown key 'rules'"),
        ("a: 1\n---\nb: 2\n", 2, "but found another document"),
    ],
)
def test_what_is_no_rule_file_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(BadRules) as bad:
        load(text, "f.yml")
    problem = bad.value.problems[0]
    assert problem.line == line
    assert said in str(problem)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{expr: up}", "one of 'record' or 'alert' must be set"),
        ("{expr: up, alert: a, record: b}", "only one of 'record' and 'alert' must be set"),
        ("{expr: up, record: b, for: 1m}", "invalid field 'for' in recording rule"),
        ("{expr: up, record: 'b{}'}", "braces present in the recording rule name"),
        ("{expr: up, alert: a, labels: {__name__: x}}", "invalid label name: '__name__'"),
        (f"{{expr: up, alert: a, labels: {{{'l' * 501}: x}}}}", "at most 500 characters"),
        (f"{{expr: up, alert: a, annotations: {{{'l' * 501}: x}}}}", "at most 500 characters"),
        (
            f"{{expr: up, alert: a, annotations: {{{', '.join(f'a{i}: x' for i in range(129))}}}}}",
            "at most 128 items",
        ),
        ("{expr: '', alert: a}", "field 'expr' must be set"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: str, said: str) -> None:
    (told,) = problems(f"groups: [{{name: g, rules: [{rule}]}}]")
    assert said in told


def test_an_empty_file_has_no_groups() -> None:
    assert load("", "f.yml").groups == ()
    assert load("groups:\n", "f.yml").groups == ()


@pytest.mark.parametrize(
    ("text", "span"),
    [("1h30m", 5_400_000), ("5m", 300_000), ("0s", 0), ("0", 0), ("1d2ms", 86_400_002)],
)
def test_durations_are_prometheus_durations(text: str, span: int) -> None:
    assert milliseconds(text) == span


@pytest.mark.parametrize("text", ["", "5", "5x", "1m1h", "-5m", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid duration"):
        milliseconds(text)
