"""Parents that explain their children: what is held by whom, and for how long after.

While a parent fires its children are held, by the cause `parent/FINGERPRINT`. Once it is over
they have its grace to be over, too; what still fires then is told at once.
"""

from collections import Counter
from collections.abc import Iterable

from notifiers import suppression
from notifiers.alert_book import Alert
from notifiers.state import State
from notifiers.storms.families import began
from notifiers.storms.summary import listed, plural

SERVICE = "service"


def place(state: State, alert: Alert) -> None:
    """An alert began to fire, is over, or is known to have begun at another time."""
    if not state.families or alert.level is None:
        return
    name = alert.fingerprint
    if alert.fires:
        state.families.fires(name, alert.level.labels, began(alert.level))
        if name in state.parents.known:
            # It began anew, and may not explain what it explained before.
            state.parents.forget(name)
            suppression.release(state, f"parent/{name}")
        return
    if (since := state.families.since(name)) is None or name in state.parents.known:
        return
    grace = state.families.grace(name)
    if grace:
        state.parents.put(name, since, state.now + grace)
    else:
        _end(state, name)


def ring(state: State, name: str) -> None:
    """The grace of a parent's children is over."""
    state.parents.forget(name)
    _end(state, name)


def explained(state: State, fingerprints: Iterable[str]) -> str:
    """What these alerts explain, in words; empty if nothing."""
    if not state.families:
        return ""
    found = state.families.explained_by(fingerprints)
    levels = [
        alert.level
        for alert in (state.alerts.get(one) for one in found - set(fingerprints))
        if alert is not None and alert.fires and alert.level is not None
    ]
    if not levels:
        return ""
    names = Counter(level.labels.get("alertname", "") for level in levels)
    services = {level.labels[SERVICE] for level in levels if level.labels.get(SERVICE)}
    where = f" of {plural(len(services), SERVICE)}" if services else ""
    return f"Explains {plural(len(levels), 'alert')}{where}: {listed(names)}."


def _end(state: State, name: str) -> None:
    state.families.is_gone(name)
    suppression.release(state, f"parent/{name}")
