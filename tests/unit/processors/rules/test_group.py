import math
from textwrap import dedent, indent

from processors.promql.columns import STALE_BITS
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.rules.file import load
from processors.rules.group import Group, Memory

NONE = Memory()


def group(rules: str, **head: object) -> Group:
    own = "".join(f"  {key}: {value}\n" for key, value in head.items())
    text = f"groups:\n- name: g\n{own}  rules:\n{indent(dedent(rules), '  ')}"
    return load(text, "f.yml").groups[0]


def source(**values: float) -> MemorySource:
    return MemorySource.of([((("__name__", name),), [(0, v)]) for name, v in values.items()])


def test_labels_of_an_alert_are_the_series_then_the_rules_and_alertname_wins() -> None:
    rules = group("""\
    - alert: Hot
      expr: temp > 1
      labels: {alertname: no, room: attic, seen: "{{ $value }}"}
      annotations: {text: "{{ $labels.__name__ }} {{ $externalLabels.dc }}"}
    """)
    labels: Labels = (("__name__", "temp"), ("room", "hall"), ("x", "y"))
    hot = MemorySource.of([(labels, [(0, 2.5)])])
    ((key, told),) = rules.evaluate(hot, 0, NONE, (("dc", "eu"),)).transitions
    assert key == 'alert Hot{alertname="no", room="attic", seen="{{ $value }}"}'
    assert told.labels == (("alertname", "Hot"), ("room", "attic"), ("seen", "2.5"), ("x", "y"))
    assert told.alert.annotations == (("text", "temp eu"),)


def test_a_rule_sees_what_an_earlier_rule_of_the_group_recorded() -> None:
    rules = group("""\
    - record: double
      expr: a * 2
      labels: {by: rule}
    - alert: Big
      expr: double > 3
    - record: total
      expr: sum({by="rule"})
    """)
    result = rules.evaluate(source(a=2.0), 0, NONE)
    assert result.samples == (
        ((("__name__", "double"), ("by", "rule")), 4.0),
        ((("__name__", "total"),), 4.0),
    )
    assert [told.step for _, told in result.transitions] == ["firing"]


def test_a_recorded_series_that_vanishes_ends_with_a_stale_marker() -> None:
    rules = group("- {record: r, expr: a > 1}\n")
    first = rules.evaluate(source(a=2.0), 0, NONE)
    ((labels, value),) = rules.evaluate(source(a=0.0), 10_000, first.memory).samples
    assert labels == (("__name__", "r"),)
    assert math.isnan(value)
    assert STALE_BITS == 0x7FF0000000000002


def test_a_scalar_is_recorded_as_a_series_without_labels() -> None:
    result = group("- {record: now, expr: time()}\n").evaluate(source(), 5000, NONE)
    assert result.samples == (((("__name__", "now"),), 5.0),)


def test_a_rule_that_fails_is_named_stops_no_other_and_holds_its_alerts() -> None:
    rules = group("""\
    - alert: Twice
      expr: '{__name__=~"a|b"} > 0'
    - record: sum
      expr: a + 1
    """)
    first = rules.evaluate(source(a=1.0), 0, NONE)
    second = rules.evaluate(source(a=1.0, b=1.0), 10_000, first.memory)
    assert [(each.key, each.reason) for each in second.failures] == [
        (
            "alert Twice{}",
            "vector contains metrics with the same labelset after applying alert labels",
        )
    ]
    assert second.memory.alerts == first.memory.alerts
    assert [value for _, value in second.samples] == [2.0]


def test_a_group_above_its_limit_fails_and_holds() -> None:
    rules = group(
        """\
    - alert: Any
      expr: '{__name__=~"a|b"} > 0'
      labels: {name: "{{ $labels.__name__ }}"}
    - record: r
      expr: a
    """,
        limit=1,
    )
    result = rules.evaluate(source(a=1.0, b=1.0), 0, NONE)
    assert [each.reason for each in result.failures] == ["exceeded limit of 1 with 2 alerts"]


def test_two_recorded_series_under_one_label_set_fail_the_rule() -> None:
    rules = group("- {record: r, expr: '{__name__=~\"a|b\"}'}\n")
    (failure,) = rules.evaluate(source(a=1.0, b=1.0), 0, NONE).failures
    assert "after applying rule labels" in failure.reason


def test_namesakes_have_keys_of_their_own() -> None:
    rules = group("- {alert: A, expr: a}\n- {alert: A, expr: b}\n")
    assert rules.keys == ("alert A{}", "alert A{} #2")


def test_instants_are_the_multiples_of_the_interval() -> None:
    every = group("- {alert: A, expr: a}\n", interval="30s")
    assert list(every.instants(29_999, 60_000, 15_000)) == [30_000, 60_000]
    assert list(every.instants(30_000, 59_999, 15_000)) == []
    assert list(group("- {alert: A, expr: a}\n").instants(0, 30_000, 15_000)) == [15_000, 30_000]


def test_a_query_offset_evaluates_in_the_past() -> None:
    rules = group("- {record: r, expr: a}\n", query_offset="10s")
    assert rules.evaluate(source(a=1.0), 5000, NONE).samples == ()
    result = rules.evaluate(source(a=1.0), 10_000, NONE)
    assert (result.at, result.sampled_at, len(result.samples)) == (10_000, 0, 1)


def test_what_a_rule_recorded_joins_what_the_source_has_of_it() -> None:
    rules = group("""\
    - record: r
      expr: a
    - record: sum
      expr: sum_over_time(r[1m])
    """)
    series = [((("__name__", name),), samples) for name, samples in HELD.items()]
    samples = dict(rules.evaluate(MemorySource.of(series), 10_000, NONE).samples)
    assert samples[(("__name__", "sum"),)] == 7.0 + 2.0


# What the source has of `r` later than the instant is not seen.
HELD = {"a": [(10_000, 2.0)], "r": [(0, 7.0), (20_000, 100.0)]}
