"""What operators do, as the router takes it: silences set and expired."""

from notifiers import suppression
from notifiers.silences import SilenceState, may_keep_id, silence_of
from notifiers.state import State
from notifiers.windows.commands import remind_of_silence
from schemas.commands import SilenceExpired, SilenceSet


def set_silence(state: State, command: SilenceSet) -> None:
    """Know a silence, or change it; what would change the past is refused and counted."""
    try:
        wanted = silence_of(command, state.now)
    except ValueError:
        state.counts["silence refused"] += 1
        return
    previous = state.silences.known.get(wanted.id)
    if previous is not None and not may_keep_id(previous, wanted, state.now):
        state.counts["silence refused"] += 1
        return
    if previous is None:
        wanted = wanted.not_before(state.now)
    state.silences.put(wanted)
    state.touched_silences.add(wanted.id)
    state.counts["silence set"] += 1
    remind_of_silence(state, wanted)
    suppression.release(state, f"silence/{wanted.id}")


def expire_silence(state: State, command: SilenceExpired) -> None:
    """End a silence now; one that is over already stays as it is."""
    known = state.silences.known.get(command.id)
    if known is None:
        state.counts["silence unknown"] += 1
        return
    if known.state_at(state.now) is SilenceState.EXPIRED:
        return
    state.silences.put(known.expired(state.now))
    state.reminders.put(f"silence/{known.id}", None)
    state.touched_silences.add(known.id)
    state.counts["silence expired"] += 1
    suppression.release(state, f"silence/{known.id}")
