import random

import pytest

from processors.promql.labels import Labels
from processors.rules.file import load
from processors.rules.group import Memory
from tests.differential import promtool, samples
from tests.differential.test_promtool import needs_promtool

RULES = """
groups:
- name: g
  rules:
  - record: job:m:sum
    expr: sum by (job) (m > 0)
    labels: {recorded: "yes"}
  - alert: Immediate
    expr: m > 0
  - alert: Waiting
    expr: job:m:sum > 1
    for: 10s
    labels: {severity: high, seen: "{{ $value }} {{ $labels.job | toUpper }}"}
  - alert: Keeping
    expr: m == 1
    for: 5s
    keep_firing_for: 12s
  - alert: Lasting
    expr: absent(m{job="a"})
    keep_firing_for: 20s
"""
LAST = 120_000


def series(seed: int) -> samples.Series:
    draw = random.Random(seed)
    return {
        (("__name__", "m"), ("host", host), ("job", job)): [
            samples.read(draw.choice(["0", "0", "1", "1", "1", "2", "_", "stale"]))
            if draw.random() < 0.6
            else 1.0
            for _ in range(LAST // samples.STEP)
        ]
        for job in "ab"
        for host in "12"
    }


def ours(given: samples.Series) -> list[list[Labels]]:
    source, memory, told = samples.source(given), Memory(), []
    group = load(RULES, "rules.yml").groups[0]
    for at in range(0, LAST + 1, samples.STEP):
        result = group.evaluate(source, at, memory)
        assert result.failures == ()
        memory = result.memory
        told.append(
            sorted(
                tuple(sorted([*labels, ("alertstate", str(alert.state)), ("__name__", "ALERTS")]))
                for alerts in memory.alerts.values()
                for labels, alert in alerts.items()
            )
        )
    return told


@pytest.mark.slow
@needs_promtool
@pytest.mark.parametrize("seed", range(10))
def test_alerts_live_as_in_prometheus(seed: int) -> None:
    given = series(seed)
    cases = [("ALERTS", at) for at in range(0, LAST + 1, samples.STEP)]
    answers = promtool.ask(given, cases, RULES)
    theirs = [sorted(promtool.labels_of(answer)) for answer in answers]
    assert ours(given) == theirs
