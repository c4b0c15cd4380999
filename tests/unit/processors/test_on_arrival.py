"""All rules with news of an instance together: what is remembered, and what a fault costs."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors import on_arrival
from processors.on_arrival import Standing
from processors.promql.fusion.engine import Fusion
from processors.promql.labels import Labels
from processors.promql.plan import Plan
from processors.rules.group import Memory
from processors.rules.lifecycle import Alert, Alerts, State
from tests.support.build import T0, envelope, samples
from tests.unit.processors.test_detector import Day

RULES = """
groups:
  - name: g
    interval: 1h
    rules:
      - {alert: Hot, expr: temperature > 90}
      - {alert: Busy, expr: load > 5}
"""


def labels(instance: str, n: int) -> Labels:
    return (("alertname", "A"), ("core", str(n)), ("instance", instance))


named = st.builds(labels, st.sampled_from("abc"), st.integers(0, 5))
alert = st.builds(Alert, st.just(State.FIRING), st.integers(0, 3), st.just(1.0))
alerts = st.dictionaries(named, alert).map(lambda found: dict(sorted(found.items())))


def within(found: Alerts, instance: str) -> dict[Labels, Alert]:
    return {key: value for key, value in found.items() if ("instance", instance) in key}


@given(before=alerts, steps=st.lists(st.tuples(st.sampled_from("abc"), alerts), max_size=5))
def test_alerts_are_left_in_label_order(
    before: Alerts, steps: list[tuple[str, dict[Labels, Alert]]]
) -> None:
    standing, memory, wanted = Standing(), Memory({"r": before} if before else {}, {}), dict(before)
    for instance, found in steps:
        standing.follow(memory.alerts)
        held = within(found, instance)
        memory = standing.after(memory, {"r": {instance: held}})
        wanted = {k: v for k, v in wanted.items() if k not in within(wanted, instance)} | held
        assert list(memory.alerts.get("r", {}).items()) == sorted(wanted.items())
        assert ("r" in memory.alerts) is bool(wanted)


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many plans each fusion is made of."""
    made: list[int] = []

    class Counted(Fusion):
        def __init__(self, plans: Iterable[Plan]) -> None:
            given = list(plans)
            made.append(len(given))
            super().__init__(given)

    monkeypatch.setattr(on_arrival, "Fusion", Counted)
    return made


def test_metrics_are_fused_when_they_arrive_together_again(fused: list[int]) -> None:
    day = Day(RULES).at(1, temperature=95, load=9).idle(1.5)
    assert (day.told, fused) == ([(1, "Hot", "firing"), (1, "Busy", "firing")], [])
    day.at(2, temperature=20, load=1).idle(2.5)
    assert (day.told[2:], fused) == ([(2, "Hot", "resolved"), (2, "Busy", "resolved")], [2])
    day.at(3, temperature=95, load=9).idle(3.5)
    assert fused == [2]


def test_metrics_that_no_rule_reads_make_no_other_combination(fused: list[int]) -> None:
    day = Day(RULES).at(1, temperature=95, disk=1).idle(1.5).at(2, temperature=20, net=1).idle(2.5)
    assert (day.told, fused) == ([(1, "Hot", "firing"), (2, "Hot", "resolved")], [1])


def test_the_combinations_met_last_are_remembered(
    monkeypatch: pytest.MonkeyPatch, fused: list[int]
) -> None:
    monkeypatch.setattr(on_arrival, "REMEMBERED", 2)
    day = Day(RULES).at(1, load=1).at(2, temperature=1).at(3, load=1).idle(3.5)
    assert fused == [1]
    day.at(4, load=1, temperature=1).at(5, load=1).idle(5.5)
    assert fused == [1]
    # `temperature` alone was met longest ago.
    day.at(6, temperature=1).idle(6.5)
    assert fused == [1]


def test_an_unexpected_fault_costs_the_evaluation_of_its_instance_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = Day(RULES)
    together = day.detector._evaluator._on_arrival
    advance = together._advance

    def faulty(instance: str, *rest: Any) -> None:
        if instance == "a":
            raise ZeroDivisionError("17 of host a")
        advance(instance, *rest)

    monkeypatch.setattr(together, "_advance", faulty)
    for instance in ("a", "b"):
        batch = samples(instance, {"temperature": 95}, T0 + 1_000)
        day._step([envelope(batch, T0 + 1_000, instance)], 1)
    day.idle(1.5)
    assert day.told == [(1, "Hot", "firing")]
    failed = {key: n for key, n in day.counts.items() if key.startswith("rule failed")}
    assert failed == {"rule failed:r.yml:g:on arrival: unexpected ZeroDivisionError": 1}
