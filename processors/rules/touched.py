"""One alert rule over one instance whose samples have just come in."""

from dataclasses import replace

from processors.promql.labels import Labels
from processors.rules import lifecycle
from processors.rules.group import AlertRule, Samples, alert_labels, breach, results
from processors.rules.lifecycle import Alert, Alerts, Breach, Outcome, Transition
from processors.rules.template import Surroundings


def advance(
    rule: AlertRule, held: Alerts, around: Surroundings, found: Samples | None = None
) -> Outcome | None:
    """The alerts of the instance after an arrival instant; None if they stand as they were.

    `held` are the rule's alerts of the instance; the source around them has its series alone.
    `found` is what the expression comes to, where that is known. An alert that makes no step
    keeps the value and the annotations of its last evaluation at an interval: they change with
    every sample, and each change would have to be kept. Raises `EvaluationFailed`.
    """
    if found is None:
        found = results(rule.plan, around.source, around.at)
    if not found and not held:
        return None
    series: dict[Labels, tuple[Labels, float]] = {}
    breaches = []
    for labels, value in found:
        named = alert_labels(rule, labels, value, around)
        known = held.get(named)
        series[named] = (labels, value)
        breaches.append(Breach(named, value, known.annotations if known is not None else ()))
    outcome = lifecycle.advance(held, breaches, rule.hold, around.at)
    told = {each.labels: _told(rule, each, series, around) for each in outcome.transitions}
    alerts = {
        labels: told[labels].alert if labels in told else _standing(held.get(labels), alert)
        for labels, alert in outcome.alerts.items()
    }
    if alerts == held:
        return None
    return Outcome(alerts, tuple(told.values()))


def _told(
    rule: AlertRule,
    step: Transition,
    series: dict[Labels, tuple[Labels, float]],
    around: Surroundings,
) -> Transition:
    """A step with annotations of this instant; one that ends keeps those it had."""
    if step.labels not in series:
        return step
    notes = breach(rule, *series[step.labels], around).annotations
    return replace(step, alert=replace(step.alert, annotations=notes))


def _standing(known: Alert | None, alert: Alert) -> Alert:
    """The alert with the value and the annotations that it had."""
    if known is None:
        return alert
    return replace(alert, value=known.value, annotations=known.annotations)
