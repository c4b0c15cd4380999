"""Overrides as the router takes them."""

from dataclasses import replace

from notifiers.oncall.book import REMEMBERED, MadeOverride
from notifiers.oncall.schedule import Override
from notifiers.state import State
from schemas.oncall import OverrideEnded, OverrideSet


def set_override(state: State, command: OverrideSet) -> None:
    """Put it in force; one that says nothing, or is long over, is counted and changes nothing.

    Of a schedule that the plan does not have it is kept all the same: plans come and go.
    """
    if command.start >= command.end or command.end + REMEMBERED <= state.now:
        state.counts["override refused"] += 1
        return
    if not state.overrides.makes_room(command.id, state.now):
        state.counts["override refused"] += 1
        return
    override = Override(command.user, command.start, command.end)
    made = MadeOverride(command.id, command.schedule, override, command.by, state.now)
    state.overrides.put(made)
    state.counts["override set"] += 1


def end_override(state: State, command: OverrideEnded) -> None:
    """End it now; one that has not begun is gone."""
    made = state.overrides.known.get(command.id)
    if made is None:
        state.counts["override unknown"] += 1
        return
    state.counts["override ended"] += 1
    if state.now <= made.override.start:
        state.overrides.forget(made.id)
    elif state.now < made.override.end:
        state.overrides.put(replace(made, override=replace(made.override, end=state.now)))


def ring(state: State, name: str) -> None:
    """An override was over long ago."""
    state.overrides.forget(name)
