"""What people are shown of a checkpoint, as the server has it: loaded, then looked at."""

from collections.abc import Iterable

from notifiers import view
from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow, live
from notifiers.view import AlertView, GroupView

Stored = Iterable[tuple[str, bytes]]


def alerts(state: Stored, now: int | None = None) -> list[AlertView]:
    """Its alerts at this instant (ms), or at its own."""
    known = view.loaded(state)
    return view.shown(known, known.now if now is None else now)


def groups(state: Stored, now: int | None = None) -> list[GroupView]:
    """Its groups, likewise."""
    known = view.loaded(state)
    return view.groups_shown(known, known.now if now is None else now)


def explained(state: Stored, what: Asked, now: int) -> list[AlertNow]:
    """Where the alerts that are asked for stand at this instant."""
    known = view.loaded(state)
    known.now = now
    return live(known, what, now)
