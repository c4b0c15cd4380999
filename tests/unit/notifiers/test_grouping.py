from hypothesis import given
from hypothesis import strategies as st

from notifiers.grouping import common, group_key, group_labels, in_order, shared
from notifiers.level import kept
from schemas.pairs import packed
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
    ordered = [one.labels for _, one in in_order([("", kept(one)) for one in levels])]
    assert [labels["alertname"] for labels in ordered] == ["B", "C", "A", "A", "A"]
    assert "x" in ordered[-1]


names = st.sampled_from(["job", "instance", "a", "job!", "x", "zone"])
values = st.sampled_from(["", "a", "b", "job", "instance", "x", "ü", "\U0001f600"])
label_sets = st.lists(st.dictionaries(names, values, max_size=5), max_size=6)


def by_alertmanager(labels: dict[str, str]) -> tuple[object, ...]:
    """`AlertSlice.Less`, and `LabelSet.Before` behind it."""
    job, instance = labels.get("job"), labels.get("instance")
    place = (job is None, job or "", instance is None, instance or "")
    return *place, len(labels), sorted(labels.items())


@given(label_sets)
def test_the_order_of_packed_sets_is_that_of_their_texts(sets: list[dict[str, str]]) -> None:
    sets = [{name: value for name, value in one.items() if value} for one in sets]
    alerts = [("", kept(level("firing", 0).model_copy(update={"labels": one}))) for one in sets]
    ordered = [one.labels for _, one in in_order(alerts)]
    assert ordered == sorted(sets, key=by_alertmanager)


@given(label_sets)
def test_packed_sets_share_what_their_texts_share(sets: list[dict[str, str]]) -> None:
    found = shared([packed(one) for one in sets])
    assert list(found.items()) == list(common(sets).items())


def test_common_is_what_all_have() -> None:
    assert common([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]) == {"a": "1"}
    assert common([]) == {}
