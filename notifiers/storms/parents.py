"""Parents that explain their children: what is held by whom, and for how long after.

While a parent fires its children are held, by the cause `parent/FINGERPRINT`. Once it is over
they have its grace to be over, too; what still fires then is told at once.
"""

from notifiers import suppression
from notifiers.alert_book import Alert
from notifiers.state import State
from notifiers.storms.families import began


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


def _end(state: State, name: str) -> None:
    state.families.is_gone(name)
    suppression.release(state, f"parent/{name}")
