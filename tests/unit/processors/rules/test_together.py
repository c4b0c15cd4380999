"""A group whose rules are evaluated together decides what it decides rule by rule."""

import json

from hypothesis import given
from hypothesis import strategies as st

from processors.promql.fusion.engine import Fusion
from processors.promql.labels import Labels
from processors.rules.file import BadRules, load
from processors.rules.group import Evaluation, Group, Memory
from processors.rules.together import Together
from processors.windows import Windows
from tests.differential import generated
from tests.unit.processors.promql.test_fusion import T0, bits, take


def drawn(draw: generated.Generator, limit: int) -> Group | None:
    """Alerts and records, of which some read what earlier ones record."""
    rules: list[dict[str, object]] = []
    for number in range(8):
        expr = draw.vector(draw.random.choice([0, 1, 2]))
        if number and draw.random.random() < 0.3:
            expr = draw.random.choice(
                ["r0 * 2", "sum(r0) or r1", '{job="a"} > 0', "rate(r0[1m])", "ALERTS > 0"]
            )
        if draw.random.random() < 0.4:
            rules.append({"record": f"r{number % 2}", "expr": expr, "labels": {"n": str(number)}})
        else:
            rules.append({"alert": f"A{number}", "expr": expr, "for": "10s"})
    text = json.dumps({"groups": [{"name": "g", "limit": limit, "rules": rules}]})
    try:
        return load(text, "f.yml").groups[0]
    except BadRules:
        return None


def told(found: Evaluation) -> object:
    """Everything that an evaluation says, whatever the order of series."""
    alerts = {
        key: {labels: repr(alert) for labels, alert in held.items()}
        for key, held in found.memory.alerts.items()
    }
    recorded = {key: sorted(series) for key, series in found.memory.recorded.items()}
    transitions = sorted(map(repr, found.transitions))
    return alerts, recorded, transitions, bits(list(found.samples)), found.failures


@given(st.integers(0, 100_000), st.sampled_from([0, 0, 3]))
def test_together_is_as_one_by_one(seed: int, limit: int) -> None:
    draw = generated.Generator(seed)
    series, group = draw.series(), drawn(draw, limit)
    if group is None:
        return
    windows = Windows([use for rule in group.rules for p in rule.plans for use in p.selectors])
    together = Together.of([("every instant", group.expressions)])
    alone, shared, seen = Memory(), Memory(), 0
    for now in sorted(draw.random.randint(0, 120) for _ in range(3)):
        take(windows, series, range(seen, now))
        seen, at = now, T0 + now * generated.STEP * 1_000
        one_by_one = group.evaluate(windows, at, alone, alert_series=True)
        at_once = group.evaluate(together.over(windows), at, shared, alert_series=True)
        assert told(at_once) == told(one_by_one)
        alone, shared = one_by_one.memory, at_once.memory


def test_a_set_of_plans_is_evaluated_once_an_instant() -> None:
    text = json.dumps(
        {"groups": [{"name": "g", "rules": [{"alert": n, "expr": f"{n} > 1"} for n in "mnc"]}]}
    )
    group = load(text, "f.yml").groups[0]
    windows = Windows([use for plan in group.expressions for use in plan.selectors])
    take(windows, {'m{job="a"}': ["2"]}, range(1))
    asked: list[int] = []

    class Counting(Fusion):
        def evaluate(self, source, at):  # type: ignore[no-untyped-def]
            asked.append(at)
            return super().evaluate(source, at)

    together = Together.of([(0, group.expressions)])
    fusion = Counting(group.expressions)
    together._fusions = dict.fromkeys(group.expressions, fusion)
    found = group.evaluate(together.over(windows), T0, Memory())
    assert asked == [T0]
    labels: list[Labels] = [each.labels for _, each in found.transitions]
    assert labels == [(("alertname", "m"), ("job", "a"))]
