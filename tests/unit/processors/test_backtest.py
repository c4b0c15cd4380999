from collections.abc import Callable

from processors.backtest import Backtest, Replayed
from processors.rules_plan import RulesPlan
from schemas.labels import labels_of
from tests.support.build import T0

RULES = """
groups:
  - name: g
    rules:
      - {record: double, expr: temperature * 2}
      - alert: Hot
        expr: double > 180
        for: 30s
        evaluation: interval
        annotations: {summary: "{{ $value }}"}
"""
SERIES = (labels_of({"__name__": "temperature", "instance": "a"}),)


def replayed(value: Callable[[int], float], seconds: range, rules: str = RULES) -> Backtest:
    backtest = Backtest(RulesPlan(files=(("r.yml", rules),)))
    for second in seconds:
        at = T0 + second * 1000
        backtest.feed(Replayed(at, SERIES, [at], [value(second)]))
    backtest.finish(T0 + seconds.stop * 1000)
    return backtest


def test_an_alerts_life_is_that_of_the_live_detector() -> None:
    backtest = replayed(lambda s: 95.0 if 100 <= s < 200 else 20.0, range(1, 400, 5))
    (life,) = backtest.lives
    assert dict(life.labels)["alertname"] == "Hot"
    times = (life.pending_at, life.fired_at or 0, life.ended_at or 0)
    assert [(at - T0) / 1000 for at in times] == [105, 135, 210]
    assert life.annotations == (("summary", "190"),)
    assert backtest.samples == 80


def test_what_still_fires_has_no_end_and_what_never_did_is_told_too() -> None:
    backtest = replayed(lambda s: 95.0 if s in range(30, 45) or s > 200 else 20.0, range(1, 300))
    short, long = backtest.lives
    assert (short.fired_at, short.ended_at is None) == (None, False)
    assert (long.fired_at is None, long.ended_at) == (False, None)


def test_own_recorded_series_are_not_read_from_history() -> None:
    backtest = Backtest(RulesPlan(files=(("r.yml", RULES),)))
    assert [use.selector.metric for use in backtest.uses()] == ["temperature"]


def test_instants_pass_while_nothing_comes_and_a_long_silence_is_a_gap() -> None:
    def run(gap: int) -> list[str]:
        backtest = Backtest(RulesPlan(files=(("r.yml", RULES.replace("30s", "1m")),)))
        for second in (1, 2 + gap):
            at = T0 + second * 1000
            backtest.feed(Replayed(at, SERIES, [at], [95.0]))
        return [str(life.fired_at and (life.fired_at - T0) // 1000) for life in backtest.lives]

    assert run(200) == ["75"]
    assert run(3600) == ["None"]


def test_a_rule_that_fails_is_counted() -> None:
    rules = RULES.replace("temperature * 2", "temperature * on() (temperature or up)")
    backtest = replayed(lambda _: 1.0, range(1, 60), rules)
    assert not backtest.failures
    two = (SERIES[0], labels_of({"__name__": "temperature", "instance": "b"}))
    backtest.feed(Replayed(T0 + 100_000, two, [T0 + 100_000] * 2, [1.0, 2.0]))
    backtest.finish(T0 + 130_000)
    assert any("double" in reason for reason in backtest.failures)
