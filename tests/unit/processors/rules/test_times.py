"""The lookback, the step of subqueries and fixed times, as rule files have them."""

import pytest

from processors.promql.memory import MemorySource
from processors.promql.vector import Vector
from processors.rules.file import BadRules, load
from processors.rules.group import RecordRule
from processors.rules_plan import RulesPlan

RULES = "groups: [{name: g, rules: [{record: r, expr: '%s'}]}]"
UP = MemorySource.of([((("__name__", "up"),), [(0, 1.0), (10_000, 3.0)])])


def answer(plan: RulesPlan, at: int) -> list[float]:
    rule = plan.load()[0].groups[0].rules[0]
    assert isinstance(rule, RecordRule)
    value = rule.plan.evaluate(UP, at)
    assert isinstance(value, Vector)
    return [number for _, number in value.items()]


def test_a_plan_says_how_far_an_instant_looks_back() -> None:
    files = (("r.yml", RULES % "up"),)
    assert answer(RulesPlan(files=files), 200_000) == [3.0]
    assert answer(RulesPlan(files=files, lookback_delta=60_000), 200_000) == []


def test_a_subquery_without_a_step_takes_the_evaluation_interval() -> None:
    files = (("r.yml", RULES % "count_over_time(up[1m:])"),)
    assert answer(RulesPlan(files=files, evaluation_interval=15_000), 60_000) == [4.0]
    assert answer(RulesPlan(files=files, evaluation_interval=10_000), 60_000) == [6.0]


def test_lookback_and_interval_travel_with_the_plan() -> None:
    plan = RulesPlan(lookback_delta=1_000, evaluation_interval=200)
    assert RulesPlan.unpack(plan.pack()) == plan


def test_a_fixed_time_is_refused_where_windows_move_on_and_served_elsewhere() -> None:
    text = RULES % "up - up @ 100"
    with pytest.raises(BadRules, match=r"r.yml:1: .*expr: .*@ with a time.*use offset"):
        load(text, "r.yml")
    assert load(text, "r.yml", fixed_times=True).groups
    assert load(RULES % "up @ end() - up @ start()", "r.yml").groups
