from notifiers.grouping import common, group_key, group_labels, in_order
from schemas.templates.quoting import quoted
from tests.unit.notifiers.scenario import level


def test_the_group_key_is_alertmanagers() -> None:
    labels = group_labels(
        {"service": "y", "alertname": "X", "z": "1"}, frozenset({"alertname", "service"}), False
    )
    key = group_key('{}/{severity="critical"}', labels)
    assert key == '{}/{severity="critical"}:{alertname="X", service="y"}'


def test_a_missing_label_is_missing_in_the_key() -> None:
    assert group_labels({"a": "1"}, frozenset({"a", "b"}), False) == (("a", "1"),)
    assert group_key("{}", ()) == "{}:{}"


def test_three_dots_group_by_all_labels() -> None:
    assert group_labels({"b": "2", "a": "1"}, frozenset(), True) == (("a", "1"), ("b", "2"))


def test_quoting_is_gos() -> None:
    assert quoted('a"b\\c\n\t\x00ü\u200b\U000e0001') == (r'"a\"b\\c\n\t\x00ü\u200b\U000e0001"')


def test_alerts_are_ordered_by_job_then_instance_then_labels() -> None:
    levels = [
        level("firing", 0, alertname="A"),
        level("firing", 0, alertname="C", job="a", instance="2"),
        level("firing", 0, alertname="B", job="a", instance="1"),
        level("firing", 0, alertname="A", job="b"),
        level("firing", 0, alertname="A", x="y"),
    ]
    assert [one.labels["alertname"] for one in in_order(levels)] == ["B", "C", "A", "A", "A"]
    assert "x" in in_order(levels)[-1].labels


def test_common_is_what_all_have() -> None:
    assert common([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]) == {"a": "1"}
    assert common([]) == {}
