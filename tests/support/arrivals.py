"""What evaluation on arrival has to come to, worked out the slow way: everything at every instant.

Each instant is evaluated over all samples appended up to it, in one place, and narrowed to an
instance only afterwards. Nothing here is shared with `processors.arrival`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from processors.promql.labels import Labels, get
from processors.promql.memory import MemorySource
from processors.rules import lifecycle
from processors.rules.file import load
from processors.rules.group import AlertRule, Group
from processors.rules.lifecycle import Alert, Breach
from processors.rules.template import Surroundings
from schemas.labels import labels_of
from schemas.stage import Message
from tests.support.build import T0, metrics_message, samples

Told = tuple[int, Labels, str, int, int | None, float]
INSTANCES = ("a", "b", "c")
SETS = (("temperature",), ("load",), ("temperature", "load"))


@dataclass(frozen=True, slots=True)
class Sent:
    """One batch: `wait` ms after the one before, of one instance, of some metrics."""

    wait: int
    instance: str
    metrics: tuple[str, ...]
    value: float


def appended(sent: Sequence[Sent]) -> Iterator[tuple[int, Sent]]:
    """When each batch is appended; in the end every instance speaks once more."""
    now = T0 + 60
    last = [Sent(1, instance, ("last",), 0.0) for instance in INSTANCES]
    for each in (*sent, Sent(1_500, "a", ("last",), 0.0), *last):
        now += each.wait
        yield now, each


def messages(sent: Sequence[Sent]) -> Iterator[tuple[int, Message]]:
    """The batches as records."""
    for number, (now, each) in enumerate(appended(sent)):
        batch = samples(each.instance, dict.fromkeys(each.metrics, each.value), now)
        yield now, metrics_message(batch, now, number + 1)


def expected(rules: str, sent: Sequence[Sent]) -> set[Told]:
    """Every step of every alert up to the first of the last batches."""
    stream = list(appended(sent))
    groups = load(rules, "rules.yml").groups
    end = stream[-3][0]
    arrivals: dict[int, list[tuple[str, frozenset[str]]]] = {}
    for now, each in stream:
        if now <= end:
            at = -(-now // 100) * 100
            arrivals.setdefault(at, []).append((each.instance, frozenset(each.metrics)))
    told: set[Told] = set()
    for group in groups:
        told |= _group(group, stream, arrivals, end)
    return told


def _group(
    group: Group,
    stream: list[tuple[int, Sent]],
    arrivals: dict[int, list[tuple[str, frozenset[str]]]],
    end: int,
) -> set[Told]:
    step = group.interval or 15_000
    own = set(range(-(-stream[0][0] // step) * step, end, step))
    alerts: dict[str, dict[Labels, Alert]] = {key: {} for key in group.keys}
    told: set[Told] = set()
    for at in sorted(own | {at for at in arrivals if at < end}):
        source = _source(stream, at)
        for key, rule in zip(group.keys, group.rules, strict=True):
            assert isinstance(rule, AlertRule)
            breaches = rule.breaches(source, at, Surroundings(source, at))
            if at in own:
                outcome = lifecycle.advance(alerts[key], breaches, rule.hold, at)
                alerts[key] = dict(outcome.alerts)
                told |= {_told(each) for each in outcome.transitions}
            elif not rule.interval_only:
                read = {use.selector.metric for use in rule.plan.selectors}
                for instance in {name for name, metrics in arrivals[at] if metrics & read}:
                    told |= _arrival(rule, alerts[key], breaches, instance, at)
    return told


def _arrival(
    rule: AlertRule, alerts: dict[Labels, Alert], breaches: list[Breach], instance: str, at: int
) -> set[Told]:
    held = {
        labels: alert for labels, alert in alerts.items() if get(labels, "instance") == instance
    }
    mine = [each for each in breaches if get(each.labels, "instance") == instance]
    outcome = lifecycle.advance(held, mine, rule.hold, at)
    for labels in held:
        del alerts[labels]
    stepped = {each.labels for each in outcome.transitions}
    for labels, alert in outcome.alerts.items():
        # Values are those of the last step or interval.
        known = held.get(labels)
        stands = known is not None and labels not in stepped
        alerts[labels] = replace(alert, value=known.value) if known and stands else alert
    return {_told(each) for each in outcome.transitions}


def _told(step: lifecycle.Transition) -> Told:
    state = "resolved" if step.step in {"resolved", "inactive"} else str(step.step)
    alert = step.alert
    return step.at, step.labels, state, alert.active_at, alert.fired_at, alert.value


def _source(stream: list[tuple[int, Sent]], at: int) -> MemorySource:
    series: dict[Labels, list[tuple[int, float]]] = {}
    for now, each in stream:
        if now <= at:
            for metric in each.metrics:
                labels = labels_of({"__name__": metric, "instance": each.instance})
                series.setdefault(labels, []).append((now, each.value))
    return MemorySource.of(series.items())
