import random

import pytest

from processors.rules.file import load
from processors.rules.group import Memory
from tests.differential import generated, promtool
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
LAST = 120


def series(seed: int) -> dict[str, list[str]]:
    draw = random.Random(seed)
    return {
        f'm{{job="{job}",host="{host}"}}': [
            draw.choice(["0", "0", "1", "1", "1", "2", "_", "stale"])
            if draw.random() < 0.6
            else "1"
            for _ in range(LAST // generated.STEP)
        ]
        for job in "ab"
        for host in "12"
    }


def ours(given: dict[str, list[str]]) -> list[list[tuple[tuple[str, str], ...]]]:
    source, memory, told = generated.source(given), Memory(), []
    group = load(RULES, "rules.yml").groups[0]
    for at in range(0, LAST * 1000 + 1, generated.STEP * 1000):
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
    cases = [("ALERTS", f"{at}s") for at in range(0, LAST + 1, generated.STEP)]
    written = {name: " ".join(items) for name, items in given.items()}
    answers = promtool.ask(written, f"{generated.STEP}s", cases, RULES)
    theirs = [sorted(labels for labels, _ in answer) for answer in answers]
    assert ours(given) == theirs
