"""What the detector promises, on virtual time and one partition, of rules at their intervals."""

import pytest

from ops.runtime.intake import encoded
from processors.detector import Detector
from processors.rules.file import BadRules
from processors.rules_plan import RulesPlan
from schemas.alerts import AlertBatch
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from schemas.plan_pieces import cut
from schemas.stage import Received, Step
from tests.support.build import T0, envelope, samples

HOT = """
groups:
  - name: g
    evaluation: interval
    rules:
      - alert: Hot
        expr: temperature > 90
        for: 30s
        labels: {severity: high}
        annotations: {summary: "{{ $labels.instance }} is at {{ $value }}"}
"""


class Day:
    """A detector and a log's clock, told in seconds after T0."""

    def __init__(self, rules: str = HOT) -> None:
        self.detector = Detector()
        self.offset = 0
        self.state: dict[str, bytes] = {}
        self.told: list[tuple[float, str, str]] = []
        self.reasons: list[str] = []
        self.counts: dict[str, int] = {}
        self.plan(rules)

    def plan(self, rules: str, number: int = 1, at: float = 0) -> Step:
        content = RulesPlan(files=(("r.yml", rules),)).pack()
        return self._step([envelope(piece, T0) for piece in cut("detector", number, content)], at)

    def at(self, second: float, sent: float | None = None, **values: float) -> "Day":
        batch = samples("a", values, T0 + int((second if sent is None else sent) * 1000))
        self._step([envelope(batch, T0 + int(second * 1000))], second)
        return self

    def idle(self, second: float) -> "Day":
        self._step([], second)
        return self

    def _step(self, envelopes: list, second: float) -> Step:
        now = T0 + int(second * 1000)
        received = []
        for each in envelopes:
            received.append(Received(self.offset, each))
            self.offset += 1
        step = self.detector.step(received, now)
        for change in step.changes:
            if change.value is None:
                self.state.pop(change.key, None)
            else:
                self.state[change.key] = change.value
        for name, count in step.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        for output in step.outputs:
            if isinstance(output.event, AlertBatch):
                for level in output.event.alerts:
                    at = (output.event.decided_at - T0) / 1000
                    again = "" if level.changed else " again"
                    self.reasons.append(level.reason)
                    self.told.append((at, level.labels["alertname"], level.state + again))
        return step


def test_a_breach_is_pending_then_firing_then_resolved_at_the_instants() -> None:
    day = Day().at(1, temperature=95).at(16, temperature=95).at(31, temperature=95)
    day.at(46, temperature=95).at(50, temperature=20).at(62)
    assert day.told == [(15, "Hot", "pending"), (45, "Hot", "firing"), (60, "Hot", "resolved")]


def test_a_pending_level_says_how_long_its_rule_waits_and_no_other_does() -> None:
    day = Day().at(1, temperature=95).at(16, temperature=95).at(31, temperature=95)
    day.at(46, temperature=95).at(50, temperature=20).at(62)
    assert day.reasons == ["waits for 30s", "", ""]


def test_an_instant_sees_what_was_appended_up_to_it_and_nothing_later() -> None:
    day = Day().at(15, temperature=95).at(15.001, temperature=20)
    assert day.told == [(15, "Hot", "pending")]


def test_a_wake_up_is_wanted_just_after_the_next_instant() -> None:
    day = Day().at(1, temperature=95)
    assert day.detector.wake_at() == T0 + 15_001
    day.idle(15.001)
    assert day.told == [(15, "Hot", "pending")]
    assert day.detector.wake_at() == T0 + 30_001


def test_levels_are_announced_again_every_minute() -> None:
    day = Day()
    for second in range(1, 200, 10):
        day.at(second, temperature=95)
    assert [(at, what) for at, _, what in day.told] == [
        (15, "pending"),
        (45, "firing"),
        (60, "firing again"),
        (120, "firing again"),
        (180, "firing again"),
    ]


def test_after_the_log_stood_still_alerts_hold_until_the_agents_have_spoken() -> None:
    day = Day()
    for second in range(1, 62, 10):
        day.at(second, temperature=95)
    told = len(day.told)
    for second in range(4_000, 4_060, 10):
        day.at(second, temperature=95)
    assert [what for _, _, what in day.told[told:]] == []
    assert day.counts["stood still"] == 1
    day.at(4_070, temperature=20).idle(4_081)
    assert day.told[-1] == (4_080, "Hot", "resolved")


def test_what_came_in_just_before_a_gap_is_decided_on_as_of_then() -> None:
    day = Day()
    for second in range(1, 62, 10):
        day.at(second, temperature=20)
    day.at(62, temperature=95)
    day.at(4_000, temperature=20)
    assert day.told == [(75, "Hot", "pending")]


def test_a_sample_hours_late_changes_no_decision_and_is_counted() -> None:
    day = Day().at(1_000, temperature=20).at(1_001, sent=1, temperature=99).idle(1_016)
    assert day.told == []
    assert day.counts["late"] == 1


def test_a_sample_from_the_future_counts_as_of_now() -> None:
    day = Day().at(1, sent=500, temperature=95).idle(16)
    assert day.told == [(15, "Hot", "pending")]
    assert day.counts["from the future"] == 1


def test_a_repeated_batch_is_recognised_by_producer_epoch_and_sequence() -> None:
    day = Day()
    batch = envelope(samples("a", {"temperature": 95}, T0 + 1_000), T0 + 1_000, "p", 7)
    day._step([batch, batch], 1)
    day._step([batch], 2)
    assert day.counts["repeated batch"] == 2
    assert day.counts["samples"] == 1


def test_a_repeated_batch_is_recognised_in_a_topic_made_anew_even_after_a_restart() -> None:
    day = Day()
    batch = envelope(samples("a", {"temperature": 95}, T0 + 1_000), T0 + 1_000, "p", 7)
    day._step([batch], 1)
    for change in day.detector.begin_again():
        assert change.value is not None
        day.state[change.key] = change.value
    day.detector, day.offset = Detector(), 0
    for key, value in day.state.items():
        day.detector.restore(key, value)
    day._step([batch], 2)
    assert day.counts["repeated batch"] == 1


def test_a_clock_that_is_wrong_is_corrected_by_the_least_delay() -> None:
    day = Day()
    for sequence in range(1, 4):
        second = sequence * 10
        batch = samples("a", {"temperature": 95}, T0 + second * 1000 - 3_600_000)
        sent = envelope(batch, T0 + second * 1000 - 3_600_000, "p", sequence)
        day._step([sent], second)
    day.idle(31)
    assert day.told == [(15, "Hot", "pending")]
    assert day.counts["clock corrected"] == 3


def test_nan_and_infinity_are_values_like_any_other() -> None:
    day = Day().at(1, temperature=float("inf")).at(20, temperature=float("nan")).idle(31)
    assert day.told == [(15, "Hot", "pending"), (30, "Hot", "resolved")]


def test_a_batch_whose_columns_do_not_fit_its_series_is_counted_and_harms_nobody() -> None:
    day = Day()
    bad = metric_batch("a", [(("__name__", "temperature"),)], [1.0, 2.0], [T0])
    day._step([envelope(bad, T0)], 1)
    day.at(2, temperature=95).idle(16)
    assert day.counts["bad columns"] == 1
    assert day.told == [(15, "Hot", "pending")]


def test_a_rule_that_a_plan_removes_resolves_its_alerts_and_one_that_stays_keeps_them() -> None:
    two = HOT + HOT.split("rules:\n")[1].replace("Hot", "Cold").replace("> 90", "> 10")
    day = Day(two)
    for second in range(1, 62, 10):
        day.at(second, temperature=95)
    step = day.plan(HOT, 2, at=62)
    assert step.reload
    assert day.told[-1] == (62, "Cold", "resolved")
    day.at(63, temperature=95).at(76, temperature=95)
    assert not [each for each in day.told if each[0] > 62]
    assert day.detector.plan_number == 2


def test_a_broken_plan_leaves_the_running_one() -> None:
    day = Day()
    step = day.plan("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]", 2, at=1)
    assert not step.reload
    assert day.counts["plan refused"] == 1
    day.at(2, temperature=95).idle(16)
    assert day.told == [(15, "Hot", "pending")]


def test_an_older_plan_is_ignored() -> None:
    day = Day()
    day.plan(HOT, 5, at=1)
    assert not day.plan(HOT.replace("> 90", "> 10"), 4, at=2).reload
    assert day.detector.plan_number == 5


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_plan_in_pieces_is_kept_until_it_is_whole(pieces: int) -> None:
    filler = "\n".join(f"# {n:0100d}" for n in range(6_000 * (pieces - 1)))
    day = Day(HOT + filler)
    assert day.detector.plan_number == 1
    restored = Detector()
    for key, value in day.state.items():
        restored.restore(key, value)
    assert restored.reach() == day.detector.reach() > 0


def test_recorded_samples_go_to_the_metrics_topic_and_are_seen_by_later_rules() -> None:
    rules = """
groups:
  - name: g
    rules:
      - {record: double, expr: temperature * 2}
      - {alert: Twice, expr: double > 100}
"""
    day = Day(rules)
    day.at(1, temperature=60)
    step = day._step([], 16)
    recorded = [output for output in step.outputs if output.topic == "tocsin.metrics"]
    assert [output.key for output in recorded] == ["a"]
    assert day.told == [(15, "Twice", "firing")]


def test_an_alert_too_large_for_a_message_is_told_with_shorter_texts() -> None:
    day = Day(
        "groups: [{name: g, rules: [{alert: Big, expr: temperature > 90, evaluation: interval}]}]"
    )
    labels = {f"l{n}": "x" * 8_000 for n in range(120)}
    series = [labels_of({"__name__": "temperature", "instance": "a", **labels})]
    day._step([envelope(metric_batch("a", series, [95.0], [T0 + 1_000]), T0 + 1_000)], 1)
    step = day._step([], 16)
    sizes = [len(encoded(output, "t", T0).value) for output in step.outputs]
    assert day.told == [(15, "Big", "firing")]
    assert max(sizes) < 400_000


def test_a_rule_whose_labels_come_out_too_long_is_told_cut_and_stops_no_other() -> None:
    long = "{{ $labels.x }}" * 9
    day = Day(HOT.replace("severity: high", f"severity: '{long}'"))
    series = [labels_of({"__name__": "temperature", "x": "y" * 8_000})]
    day._step([envelope(metric_batch("a", series, [95.0], [T0 + 1_000]), T0 + 1_000)], 1)
    day._step([], 16)
    assert day.told == [(15, "Hot", "pending")]


def test_a_group_that_cannot_be_evaluated_is_counted_and_the_others_go_on() -> None:
    day = Day(HOT + HOT.split("groups:\n")[1].replace("name: g", "name: bad"))
    broken = next(each for each in day.detector._evaluator.groups if each.name.endswith(":bad"))
    broken.group = None  # type: ignore[assignment]  # whatever may be wrong with it
    day.at(1, temperature=95).idle(16)
    assert day.told == [(15, "Hot", "pending")]
    assert [name for name in day.counts if name.startswith("rule failed:r.yml:bad")]


def test_recorded_samples_go_in_pieces_below_the_message_limit() -> None:
    day = Day("groups: [{name: g, rules: [{record: r, expr: temperature}]}]")
    series = [
        labels_of({"__name__": "temperature", "instance": "a", "path": f"{n:05d}" + "p" * 200})
        for n in range(5_000)
    ]
    values = [1.0] * len(series)
    day._step([envelope(metric_batch("a", series, values, [T0 + 1_000]), T0 + 1_000)], 1)
    step = day._step([], 16)
    assert sum(output.event.count for output in step.outputs) == 5_000
    assert max(len(encoded(output, "t", T0).value) for output in step.outputs) < 300_000
    assert len({output.id for output in step.outputs}) == len(step.outputs) > 5


def test_after_a_long_absence_whose_records_are_gone_alerts_still_hold() -> None:
    day = Day()
    for second in range(1, 122, 10):
        day.at(second, temperature=95)
    again = Detector()
    for key, value in day.state.items():
        again.restore(key, value)
    day.detector, told = again, len(day.told)
    day.detector.reach()
    eight_hours = 28_800
    for second in range(eight_hours, eight_hours + 60, 10):
        day.at(second, temperature=95)
    assert day.told[told:] == []
    assert day.counts["stood still"] == 1


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_was_set_costs_its_producer_one_batch_at_most(hours: int) -> None:
    day = Day()
    for sequence in range(1, 90):
        second = sequence * 10
        wrong = hours * 3_600_000 if sequence > 30 else 0
        at = T0 + second * 1_000 + wrong
        batch = samples("a", {"temperature": 95}, at)
        day._step([envelope(batch, at, "p", sequence)], second + 0.2)
    assert [what for _, _, what in day.told if not what.endswith("again")] == ["pending", "firing"]
    assert day.counts.get("late", 0) <= 1


def test_the_logs_own_clock_that_jumped_ahead_makes_no_producer_late() -> None:
    day = Day()
    for sequence in range(1, 90):
        second = sequence * 10
        at = T0 + second * 1_000
        batch = samples("a", {"temperature": 95}, at)
        day._step([envelope(batch, at, "p", sequence)], second + (7_200 if sequence > 30 else 0))
    assert "resolved" not in [what for _, _, what in day.told]
    assert day.counts.get("late", 0) <= 1


def test_an_expression_too_long_for_a_link_is_told_all_the_same() -> None:
    hosts = "|".join(f"host-{i:05}" for i in range(5_700))
    rules = (
        "groups: [{name: g, rules: [{alert: A, expr: 'temperature{instance!~\"HOSTS\"} > 90'}]}]"
    )
    day = Day(rules.replace("HOSTS", hosts)).at(1, temperature=95).idle(2)
    assert day.told == [(1.0, "A", "firing")]


def test_failures_are_counted_without_the_labels_of_whoever_failed() -> None:
    rules = "groups: [{name: g, rules: [{alert: A, expr: 'up * on (job) up'}]}]"
    day = Day(rules)
    series = [
        labels_of({"__name__": "up", "instance": "a", "job": "j", "pod": str(n)}) for n in range(3)
    ]
    day._step([envelope(metric_batch("a", series, [1.0] * 3, [T0 + 1_000]), T0 + 1_000)], 1)
    day.idle(16)
    [failed] = [name for name in day.counts if name.startswith("rule failed")]
    assert "pod" not in failed
    assert "duplicate series" in failed


def test_a_plan_that_only_an_older_version_takes_does_not_keep_the_next_one_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = Day().at(1, temperature=95).at(16, temperature=95)

    def refused(_: RulesPlan) -> None:
        raise BadRules(())

    with monkeypatch.context() as newer:
        newer.setattr(RulesPlan, "load", refused)
        day.detector = Detector()
        for key, value in day.state.items():
            day.detector.restore(key, value)
        day.at(20, temperature=95)
    assert day.counts["without a plan"] == 1
    day.plan(HOT, number=2, at=21)
    day.at(22, temperature=95).at(46, temperature=95)
    assert (45, "Hot", "firing") in day.told
