"""From what a rule decided to what is announced: alert levels, in batches of bounded size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from processors.promql.labels import Labels
from processors.rules.lifecycle import Alert, State, Step, Transition
from schemas.alerts import AlertLevel, AlertState
from schemas.waits import waits

MAX_NOTE = 16_384
MAX_VALUE = 8_192
MAX_QUERY = 60_000
"""Characters of a link's expression: browsers and the log hold no more."""
SMALL = 256
"""Characters that are left of a text when a level as a whole is larger than `MAX_TEXT`."""
MAX_ALERTS = 500
MAX_TEXT = 300_000
_STATES = {
    Step.PENDING: AlertState.PENDING,
    Step.FIRING: AlertState.FIRING,
    Step.RESOLVED: AlertState.RESOLVED,
    Step.INACTIVE: AlertState.RESOLVED,
}


def changed(transition: Transition, url: str, wait: int = 0) -> AlertLevel:
    """The level after a transition, of a rule that waits so long (ms) before it fires."""
    state = _STATES[transition.step]
    ends_at = transition.at if state is AlertState.RESOLVED else None
    return _level(transition.labels, transition.alert, state, ends_at, True, url, wait)


def repeated(labels: Labels, alert: Alert, url: str, wait: int = 0) -> AlertLevel:
    """The level of an alert as it stands, of a rule that waits so long (ms) before it fires."""
    state = AlertState.FIRING if alert.state is State.FIRING else AlertState.PENDING
    return _level(labels, alert, state, None, False, url, wait)


def withdrawn(labels: Labels, alert: Alert, at: int, reason: str) -> AlertLevel:
    """The level of an alert that ends because its rule did."""
    level = _level(labels, alert, AlertState.RESOLVED, at, True, "")
    return level.model_copy(update={"reason": reason})


def noted(levels: Sequence[AlertLevel], notes: Mapping[str, str]) -> Sequence[AlertLevel]:
    """The same levels with more annotations."""
    if not notes:
        return levels
    return [
        level.model_copy(update={"annotations": {**level.annotations, **notes}}) for level in levels
    ]


def batches(levels: Iterable[AlertLevel]) -> Iterator[tuple[AlertLevel, ...]]:
    """Levels in order, as many together as a message holds."""
    batch: list[AlertLevel] = []
    text = 0
    for level in levels:
        size = _size(level.labels) + _size(level.annotations) + 200
        if batch and (len(batch) >= MAX_ALERTS or text + size > MAX_TEXT):
            yield tuple(batch)
            batch, text = [], 0
        batch.append(level)
        text += size
    if batch:
        yield tuple(batch)


def generator_url(external_url: str, expr: str) -> str:
    """Where a person can look at the expression, as Prometheus writes it; less what is too long."""
    base = f"{external_url.rstrip('/')}/graph"
    query = quote(expr)
    return f"{base}?g0.expr={query}&g0.tab=1" if len(query) <= MAX_QUERY else base


def _level(
    labels: Labels,
    alert: Alert,
    state: AlertState,
    ends_at: int | None,
    is_change: bool,
    url: str,
    wait: int = 0,
) -> AlertLevel:
    named = {name: _cut(value, MAX_VALUE) for name, value in labels}
    notes = {name: _cut(text, MAX_NOTE) for name, text in alert.annotations}
    if _size(named) + _size(notes) > MAX_TEXT:
        named = {name: _cut(value, SMALL) for name, value in named.items()}
        notes = {name: _cut(text, SMALL) for name, text in notes.items()}
    return AlertLevel(
        labels=named,
        annotations=notes,
        state=state,
        active_at=alert.active_at,
        starts_at=alert.fired_at,
        ends_at=ends_at,
        value=alert.value,
        changed=is_change,
        reason=waits(wait) if state is AlertState.PENDING else "",
        generator_url=url,
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _size(labels: Mapping[str, str]) -> int:
    return sum(len(name) + 4 * len(value) for name, value in labels.items())
