"""The life of one rule's alerts, by Prometheus's `for` and `keep_firing_for`."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels

DUPLICATE = "vector contains metrics with the same labelset after applying alert labels"


class State(StrEnum):
    """Where an active alert stands."""

    PENDING = "pending"
    FIRING = "firing"


class Step(StrEnum):
    """What became of an alert at an evaluation."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    INACTIVE = "inactive"  # it was pending and never fired


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a rule waits before firing and after, in milliseconds."""

    wait: int = 0
    keep: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """One active alert; plain data, so that whoever keeps it can encode it."""

    state: State
    active_at: int
    value: float
    annotations: Labels = ()
    fired_at: int | None = None
    keep_firing_since: int | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """A series of the rule's result, under its alert's labels."""

    labels: Labels
    value: float
    annotations: Labels = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """A change that an evaluation made; `alert` is the alert as it then was."""

    step: Step
    labels: Labels
    at: int
    alert: Alert


Alerts = Mapping[Labels, Alert]
NONE: Alerts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rule's alerts after an evaluation, and what changed."""

    alerts: Alerts
    transitions: tuple[Transition, ...] = field(default=())


def advance(
    alerts: Alerts,
    breaches: Iterable[Breach],
    hold: Hold,
    at: int,
    unknown: Container[Labels] = (),
) -> Outcome:
    """One evaluation at an instant: pure, and the same whatever order the series come in.

    Alerts of the `unknown` label sets stand as they are where there is no breach of theirs.
    """
    found: dict[Labels, Breach] = {}
    for breach in breaches:
        if breach.labels in found:
            raise EvaluationFailed(DUPLICATE)
        found[breach.labels] = breach
    if not found and not alerts:
        return Outcome(alerts)
    after: dict[Labels, Alert] = {}
    transitions: list[Transition] = []
    for labels in sorted(alerts.keys() | found.keys()):
        known = alerts.get(labels)
        if known is not None and labels in unknown and labels not in found:
            after[labels] = known
            continue
        new, step = _next(known, found.get(labels), hold, at)
        if new is not None:
            after[labels] = new
        told = new or known
        if step is not None and told is not None:
            transitions.append(Transition(step, labels, at, told))
    return Outcome(after, tuple(transitions))


def _next(
    known: Alert | None, breach: Breach | None, hold: Hold, at: int
) -> tuple[Alert | None, Step | None]:
    if breach is None:
        return (None, None) if known is None else _silent(known, hold, at)
    if known is None:
        fresh = Alert(State.PENDING, at, breach.value, breach.annotations)
        alert, step = _settled(fresh, hold, at)
        return alert, step or Step.PENDING
    alert = replace(
        known, value=breach.value, annotations=breach.annotations, keep_firing_since=None
    )
    return _settled(alert, hold, at)


def _settled(alert: Alert, hold: Hold, at: int) -> tuple[Alert, Step | None]:
    held = at - alert.active_at >= hold.wait
    if held and alert.state is State.PENDING:
        return replace(alert, state=State.FIRING, fired_at=at), Step.FIRING
    if not held and alert.state is State.FIRING:
        # A reload made `for` longer: Prometheus lets such an alert wait again.
        again = replace(alert, state=State.PENDING, fired_at=None, keep_firing_since=None)
        return again, Step.PENDING
    return alert, None


def _silent(alert: Alert, hold: Hold, at: int) -> tuple[Alert | None, Step | None]:
    if alert.state is State.PENDING:
        return None, Step.INACTIVE
    since = at if alert.keep_firing_since is None else alert.keep_firing_since
    if at - since < hold.keep:
        return _settled(replace(alert, keep_firing_since=since), hold, at)
    return None, Step.RESOLVED
