"""Evaluation on arrival: which rules, when, and over what; on virtual time and one partition."""

import pytest

from processors.arrival import recorded_names, waiting
from processors.detector import Detector
from processors.partials.planning import planned
from processors.placement import Placement
from processors.rules.file import BadRules, load
from processors.rules.group import Group
from schemas.stage import Received
from tests.support.build import T0, envelope, samples
from tests.unit.processors.test_detector import Day

HOT = """
groups:
  - name: g
    rules:
      - alert: Hot
        expr: temperature > 90
        for: 30s
        annotations: {summary: "{{ $labels.instance }} is at {{ $value }}"}
"""
NOW = HOT.replace("for: 30s", "keep_firing_for: 5s")


def rule(written: str) -> str:
    return f"groups: [{{name: g, rules: [{written}]}}]"


def reasons(group: Group, *others: Group) -> dict[str, str]:
    groups = (group, *others)
    return waiting(group, recorded_names(groups), Placement(groups).reason(group))


def test_a_breach_is_decided_at_the_next_tenth_of_a_second() -> None:
    day = Day(HOT).at(1.02, temperature=95).idle(1.1)
    assert day.told == []
    day.idle(1.15)
    assert day.told == [(1.1, "Hot", "pending")]


def test_an_arrival_instant_sees_what_was_appended_up_to_it_and_nothing_later() -> None:
    day = Day(HOT).at(2.1, temperature=95).at(2.101, temperature=20)
    assert day.told == [(2.1, "Hot", "pending")]
    day.idle(3)
    assert day.told[1:] == [(2.2, "Hot", "resolved")]


def test_an_alert_fires_at_the_first_sample_after_its_wait_and_resolves_as_one_comes() -> None:
    day = Day(HOT).at(1, temperature=95).at(20, temperature=95).at(31.95, temperature=95)
    day.at(32.45, temperature=20).idle(33)
    assert day.told == [(1, "Hot", "pending"), (32, "Hot", "firing"), (32.5, "Hot", "resolved")]


def test_keep_firing_for_counts_from_the_arrival_that_saw_the_breach_gone() -> None:
    day = Day(NOW).at(1, temperature=95).at(2, temperature=20).at(6.9, temperature=20)
    day.at(7, temperature=20).idle(8)
    assert day.told == [(1, "Hot", "firing"), (7, "Hot", "resolved")]


def test_a_wake_up_is_wanted_after_the_arrival_instant_only_while_something_waits() -> None:
    day = Day(HOT).at(1.02, temperature=95)
    assert day.detector.wake_at() == T0 + 1_101
    day.idle(1.101)
    assert day.detector.wake_at() == T0 + 15_001


def test_samples_that_no_rule_on_arrival_reads_want_no_wake_up() -> None:
    day = Day(HOT.replace("    rules:", "    evaluation: interval\n    rules:"))
    assert day.at(1.02, temperature=95).detector.wake_at() == T0 + 15_001


def test_alerts_of_other_instances_stand() -> None:
    day = Day(NOW.replace("    rules:", "    interval: 1h\n    rules:"))
    day._step([envelope(samples("b", {"temperature": 95}, T0 + 1_000), T0 + 1_000, "b")], 1)
    for second in range(30, 400, 30):
        day.at(second, temperature=20)
    # b's series is stale by now: its alert resolves at an interval.
    day.at(400, temperature=95).idle(401)
    assert day.told == [(1, "Hot", "firing"), (400, "Hot", "firing")]


def test_an_arrival_that_changes_nothing_costs_neither_output_nor_state() -> None:
    day = Day(NOW).at(1, temperature=95).idle(2)
    before = dict(day.state)
    for tenth in range(21, 40):
        values = {"temperature": 95.0 + tenth}
        at = T0 + tenth * 100
        step = day._step([envelope(samples("a", values, at), at)], tenth / 10)
        assert step.outputs == []
    assert day.state == before
    assert day.counts["evaluations on arrival"] > 15


def test_values_and_annotations_are_of_the_step_and_then_of_the_last_interval() -> None:
    day = Day(NOW).at(1, temperature=95)
    first = day._step([], 2).outputs[0].event.alerts[0]
    assert (first.value, first.annotations["summary"]) == (95, "a is at 95")
    day.at(3, temperature=99).idle(4).idle(16).at(20, temperature=97).at(21, temperature=20)
    day.at(26, temperature=20)
    last = day._step([], 27).outputs[-1].event.alerts[0]
    assert (last.state, last.value, last.annotations["summary"]) == ("resolved", 99, "a is at 99")


def test_a_breach_that_comes_back_in_time_keeps_value_and_annotations_too() -> None:
    day = Day(NOW).at(1, temperature=95).at(2, temperature=20).at(3, temperature=97)
    day.at(4, temperature=20).at(10, temperature=20)
    last = day._step([], 11).outputs[-1].event.alerts[0]
    assert (last.state, last.value, last.annotations["summary"]) == ("resolved", 95, "a is at 95")


def test_at_an_instant_of_its_own_a_group_is_evaluated_once() -> None:
    day = Day(NOW).at(15, temperature=95).idle(16)
    assert day.told == [(15, "Hot", "firing")]
    assert "evaluations on arrival" not in day.counts


def test_what_came_in_just_before_a_gap_is_decided_on_as_of_then() -> None:
    day = Day(NOW).at(31, temperature=95).at(4_000, temperature=20)
    assert day.told == [(31, "Hot", "firing")]


def test_after_a_gap_arrivals_decide_nothing_until_the_agents_have_spoken() -> None:
    day = Day(NOW).at(31, temperature=20).at(4_000, temperature=20)
    day.at(4_010, temperature=95).at(4_020, temperature=20)
    assert day.detector.wake_at() == T0 + 4_035_001
    day.at(4_031, temperature=95).idle(4_032)
    assert day.told == [(4_031, "Hot", "firing")]


@pytest.mark.parametrize("cut", [1.02, 1.05, 1.1])
def test_who_takes_over_decides_on_what_waits(cut: float) -> None:
    day = Day(NOW).at(0.95, temperature=95).at(1.02, temperature=95).at(cut, temperature=95)
    again = Detector()
    for key, value in day.state.items():
        again.restore(key, value)
    again.reach()
    for offset, second in enumerate((0.95, 1.02, cut)):
        at = T0 + int(second * 1000)
        batch = envelope(samples("a", {"temperature": 95}, at), at)
        again.rebuild([Received(offset, batch)], at)
    assert again.wake_at() == day.detector.wake_at() == T0 + 1_101


SPANS = "its group spans instances: "
ELIGIBLE = {
    "temperature > 90": "",
    "avg_over_time(temperature[5m]) > 90 and on (instance) up == 1": "",
    "sum by (instance) (requests) > 5": "",
    "temperature - temperature offset 5m > 3": "",
    "sum(requests) > 5": SPANS + "A: sum joins series of different instances",
    "max_over_time(temperature[1m:10s]) > 9": "it has a subquery",
    "warm > 90": "it reads warm, which a rule records",
    'ALERTS{alertstate="firing"} > 0': SPANS + "A: it reads ALERTS",
    "temperature offset 5m > 90": "every selector has an offset",
    "avg_over_time(temperature[6h]) > 90": "it reaches back beyond the raw windows",
    '{job="x"} > 90': SPANS + "A: it reads ALERTS",
    "temperature @ end() > 90": "it reads temperature at a fixed time",
    "vector(1) > 0": SPANS + "A: vector() makes a series of no instance",
}


@pytest.mark.parametrize(("expr", "reason"), ELIGIBLE.items())
def test_which_expressions_are_evaluated_on_arrival(expr: str, reason: str) -> None:
    written = f"""
groups:
  - name: g
    rules:
      - {{alert: A, expr: '{expr}'}}
  - name: records
    rules:
      - {{record: warm, expr: temperature}}
"""
    found = load(written, "r.yml", planning=planned).groups
    told = reasons(found[0], *found[1:]).get(found[0].keys[0], "")
    assert told.startswith(reason)
    assert bool(told) is bool(reason)


WRITTEN = {
    "{record: r, expr: temperature}": "it records a series",
    "{alert: A, expr: x, evaluation: interval}": "it says `evaluation: interval`",
    "{alert: A, expr: x, labels: {instance: here}}": SPANS + "A: its labels overwrite instance",
    "{alert: A, expr: x}, {alert: B, expr: sum(x)}": SPANS + "B: sum joins",
    "{alert: A, expr: x, annotations: {n: '{{ query \"y\" }}'}}": SPANS
    + "A: its labels or annotations",
}


@pytest.mark.parametrize(("written", "reason"), WRITTEN.items())
def test_which_rules_are_evaluated_on_arrival(written: str, reason: str) -> None:
    group = load(rule(written), "r.yml").groups[0]
    assert reasons(group)[group.keys[0]].startswith(reason)


@pytest.mark.parametrize("key", ["limit: 5", "query_offset: 1m"])
def test_a_group_with_a_limit_or_an_offset_waits_for_its_instants(key: str) -> None:
    group = load(HOT.replace("    rules:", f"    {key}\n    rules:"), "r.yml").groups[0]
    assert reasons(group)[group.keys[0]] == f"its group has a {key.partition(':')[0]}"


@pytest.mark.parametrize(
    "written",
    ["{alert: A, expr: x, evaluation: often}", "{record: r, expr: x, evaluation: interval}"],
)
def test_evaluation_is_interval_or_not_said_and_of_alert_rules(written: str) -> None:
    with pytest.raises(BadRules, match="evaluation"):
        load(rule(written), "r.yml")


def test_a_rule_that_fails_on_one_instance_stops_no_other_rule_or_instance() -> None:
    day = Day(
        """
groups:
  - name: g
    rules:
      - {alert: Odd, expr: temperature * on (instance) load > 0}
      - {alert: Hot, expr: temperature > 90}
"""
    )
    good = samples("b", {"temperature": 95, "load": 1}, T0 + 1_000)
    bad = samples("a", [("temperature", 95), ("load", 1)], T0 + 1_000)
    day._step([envelope(good, T0 + 1_000, "b"), envelope(bad, T0 + 1_000, "a")], 1)
    doubled = bad.model_copy(update={"series": two_loads()})
    day._step([envelope(doubled, T0 + 1_000, "c")], 1.01)
    day.idle(2)
    assert sorted(day.told) == [
        (1, "Hot", "firing"), (1, "Hot", "firing"), (1, "Odd", "firing"), (1, "Odd", "firing")
    ]  # fmt: skip
    assert [name for name in day.counts if "many-to-many" in name or "duplicate" in name]


def two_loads() -> bytes:
    from schemas.series import pack_series

    one = (("__name__", "load"), ("cpu", "0"), ("instance", "a"))
    return pack_series([one, (("__name__", "load"), ("cpu", "1"), ("instance", "a"))])
