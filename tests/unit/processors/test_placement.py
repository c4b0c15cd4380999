"""Which rule groups span instances, and the reason that is given."""

import pytest

from processors.placement import Placement
from processors.rules.file import load
from processors.rules.group import Group


def groups(rules: str, more: str = "") -> tuple[Group, ...]:
    return load(f"groups:\n- name: first\n{more}  rules:\n{rules}", "r.yml").groups


def reason(rule: str, more: str = "") -> str:
    found = groups(f"  - {rule}\n", more)
    return Placement(found).reason(found[0])


@pytest.mark.parametrize(
    "rule",
    [
        "{alert: A, expr: up == 0, labels: {severity: page}}",
        "{record: 'instance:x:rate', expr: 'rate(x[5m])', labels: {a: b}}",
        "{record: 'instance:x:sum', expr: sum by (instance) (x)}",
        '{alert: A, expr: up == 0, annotations: {summary: "{{ $labels.instance }} is down"}}',
    ],
)
def test_a_group_of_local_rules_stays(rule: str) -> None:
    assert reason(rule) == ""


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("{alert: A, expr: sum(up) == 0}", "A: sum joins series of different instances"),
        ("{alert: A, expr: up, labels: {instance: all}}", "A: its labels overwrite instance"),
        ("{record: r, expr: up, labels: {instance: all}}", "r: its labels overwrite instance"),
        ("{alert: A, expr: vector(1)}", "A: vector() makes a series of no instance's samples"),
        ("{alert: A, expr: ALERTS}", "A: it reads ALERTS, which is recorded without"),
        (
            '{alert: A, expr: up, annotations: {a: "{{ query `sum(up)` | len }}"}}',
            "A: its labels or annotations query other series",
        ),
        (
            "{alert: A, detect: {absent: {series: up, after: 5m}}}",
            "A: a detector looks at all series together",
        ),
    ],
)
def test_a_group_that_spans_says_because_of_which_rule(rule: str, why: str) -> None:
    assert reason(rule).startswith(why)


def test_a_limit_counts_everything() -> None:
    assert reason("{alert: A, expr: up}", "  limit: 5\n").startswith("its limit counts")


def test_what_is_made_of_series_without_an_instance_has_none_either() -> None:
    found = groups(
        "  - {record: c, expr: b * 2}\n"
        "  - {record: b, expr: a + 1}\n"
        "  - {record: a, expr: sum(up)}\n"
        "  - {record: d, expr: sum by (instance) (up)}\n"
    )
    placement = Placement(found)
    assert placement.spanning_names >= {"a", "b", "c"}
    assert "d" not in placement.spanning_names


def test_a_group_that_reads_what_another_records_without_an_instance_spans() -> None:
    text = """
groups:
- {name: makes, rules: [{record: "job:up", expr: sum by (job) (up)}]}
- {name: reads, rules: [{alert: A, expr: "job:up > 1"}]}
- {name: else, rules: [{alert: A, expr: "up > 1"}]}
"""
    found = load(text, "r.yml").groups
    placement = Placement(found)
    assert [bool(placement.reason(group)) for group in found] == [True, True, False]
