from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.promql.errors import EvaluationFailed
from processors.rules.lifecycle import NONE, Alert, Alerts, Breach, Hold, State, Step, advance

A, B = (("alertname", "a"),), (("alertname", "b"),)
STEP = 10_000


@dataclass
class Life:
    """One rule under evaluation, told in marks: `x` is a breach, `.` is none."""

    hold: Hold
    alerts: Alerts = field(default_factory=lambda: NONE)
    at: int = 0

    def __call__(self, marks: str) -> list[str]:
        steps = []
        for mark in marks:
            outcome = advance(
                self.alerts, [Breach(A, 1.0)] if mark == "x" else [], self.hold, self.at
            )
            self.alerts = outcome.alerts
            self.at += STEP
            steps.append(" ".join(each.step for each in outcome.transitions))
        return steps


def test_an_alert_without_for_fires_at_once() -> None:
    assert Life(Hold())("xx.") == ["firing", "", "resolved"]


def test_an_alert_fires_when_it_has_been_active_for_as_long_as_for() -> None:
    assert Life(Hold(wait=20_000))("xxxx..") == ["pending", "", "firing", "", "resolved", ""]


def test_a_pending_alert_that_vanishes_was_never_told_and_starts_anew() -> None:
    assert Life(Hold(wait=20_000))("xx.xxx") == [
        "pending",
        "",
        "inactive",
        "pending",
        "",
        "firing",
    ]


def test_keep_firing_for_counts_from_the_first_silent_evaluation() -> None:
    life = Life(Hold(keep=20_000))
    assert life("x..x...") == ["firing", "", "", "", "", "", "resolved"]


def test_a_longer_for_after_a_reload_makes_a_firing_alert_wait_again() -> None:
    life = Life(Hold())
    life("x")
    life.hold = Hold(wait=20_000)
    assert life("xx") == ["pending", "firing"]


def test_onset_and_last_value_are_kept() -> None:
    first = advance(NONE, [Breach(A, 1.0)], Hold(), 5)
    second = advance(first.alerts, [Breach(A, 2.0, (("summary", "s"),))], Hold(), 9)
    assert second.alerts == {A: Alert(State.FIRING, 5, 2.0, (("summary", "s"),), fired_at=5)}
    assert second.transitions == ()


def test_two_series_under_the_same_alert_labels_fail_the_rule() -> None:
    with pytest.raises(EvaluationFailed, match="same labelset after applying alert labels"):
        advance(NONE, [Breach(A, 1.0), Breach(A, 2.0)], Hold(), 0)


MARKS = st.text("x.", max_size=30)
HOLDS = st.builds(Hold, st.sampled_from([0, 5000, 20_000]), st.sampled_from([0, 5000, 20_000]))


@given(MARKS, HOLDS, st.integers(0, 30))
def test_a_life_may_be_cut_anywhere(marks: str, hold: Hold, cut: int) -> None:
    whole, before = Life(hold), Life(hold)
    steps = whole(marks)
    first = before(marks[:cut])
    after = Life(hold, dict(before.alerts), before.at)
    assert steps == first + after(marks[cut:])
    assert whole.alerts == after.alerts


@given(MARKS, HOLDS)
def test_steps_follow_one_another_as_a_life_does(marks: str, hold: Hold) -> None:
    told = [step for step in Life(hold)(marks + "...") if step]
    follows = {
        Step.PENDING: {Step.FIRING, Step.INACTIVE},
        Step.FIRING: {Step.RESOLVED},
        Step.INACTIVE: {Step.PENDING},
        Step.RESOLVED: {Step.PENDING, Step.FIRING},
    }
    for before, after in pairwise(told):
        assert after in follows[Step(before)]


@given(st.permutations([Breach(A, 1.0), Breach(B, 2.0), Breach((("c", "d"),), 3.0)]))
def test_the_order_of_series_decides_nothing(breaches: list[Breach]) -> None:
    assert advance(NONE, breaches, Hold(), 0) == advance(
        NONE, sorted(breaches, key=repr), Hold(), 0
    )
