"""What operators and deploys do about windows, and what time does, as the router takes it."""

from dataclasses import replace

from notifiers import suppression
from notifiers.notices import telling
from notifiers.silences import Silence
from notifiers.state import State
from notifiers.windows.book import RETENTION
from notifiers.windows.reminders import ends_text
from notifiers.windows.window import Window, WindowKind, window_of
from schemas.deliveries import Why
from schemas.windows import WindowClosed, WindowEnded, WindowOpened, WindowSet

REMIND, REMIND_TO = "remind", "remind_to"
"""Annotations of a silence: how long before its end (ms, in digits) to remind which receiver."""
_SEVERITY = "info"


def set_window(state: State, command: WindowSet) -> None:
    """Know a window, or change it from now on; a deploy that is open stays open."""
    try:
        window = window_of(command)
    except ValueError:
        state.counts["window refused"] += 1
        return
    if not state.windows.makes_room(window.id, state.now):
        state.counts["window refused"] += 1
        return
    previous = state.windows.known.get(window.id)
    window = replace(window, looked_at=state.now)
    if previous is not None and window.kind is previous.kind is WindowKind.DEPLOY:
        window = replace(window, opened_at=previous.opened_at, closes_at=previous.closes_at)
    _put(state, window)
    state.counts["window set"] += 1


def end_window(state: State, command: WindowEnded) -> None:
    """End a window for good; one that is over already stays as it is."""
    known = state.windows.known.get(command.id)
    if known is None:
        state.counts["window unknown"] += 1
    elif not known.is_over(state.now):
        _put(state, known.ended(state.now))
        state.counts["window ended"] += 1


def open_window(state: State, command: WindowOpened) -> None:
    """A deploy begins. One that runs already keeps its time-out: beginning again is no way out."""
    known = state.windows.known.get(command.id)
    if known is None or known.wish.timeout is None:
        state.counts["window unknown"] += 1
        return
    if known.is_over(state.now) or known.holds(state.now):
        state.counts["window not opened"] += 1
        return
    length = min(command.timeout or known.wish.timeout, known.wish.timeout)
    ends = known.wish.ends_at
    closes = state.now + length if ends is None else min(state.now + length, ends)
    _put(state, replace(known, opened_at=state.now, closes_at=closes))
    state.counts["window opened"] += 1


def close_window(state: State, command: WindowClosed) -> None:
    """A deploy is through."""
    known = state.windows.known.get(command.id)
    if known is None or known.kind is not WindowKind.DEPLOY:
        state.counts["window unknown"] += 1
    elif known.holds(state.now):
        _put(state, replace(known, closes_at=state.now))
        state.counts["window closed"] += 1


def ring(state: State, name: str) -> None:
    """A window begins or ends by itself, or is to be forgotten."""
    known = state.windows.known[name]
    ends = known.wish.ends_at
    if ends is not None and state.now >= ends + RETENTION:
        state.windows.forget(name)
        return
    state.windows.put(replace(known, looked_at=state.now))
    if not known.holds(state.now):
        suppression.release(state, known.cause)


def remind(state: State, cause: str) -> None:
    """A window or silence ends soon, or has ended and needs no reminder any more."""
    reminder = state.reminders.known[cause]
    if reminder.told or state.now >= reminder.expiry:
        state.reminders.put(cause, None)
        return
    about = f"{cause} {reminder.expiry}"
    labels = {"alertname": "EndsSoon", "severity": _SEVERITY, "cause": cause}
    telling.tell(state, reminder.receiver, Why.REMINDER, about, reminder.text, labels)
    state.counts["reminder"] += 1
    state.reminders.put(cause, replace(reminder, told=True))


def remind_of_silence(state: State, silence: Silence) -> None:
    """Remind of a silence's end, if its annotations say so."""
    before = silence.annotations.get(REMIND, "")
    receiver = _receiver(state, silence.annotations.get(REMIND_TO, ""), silence.created_by)
    where = state.plan.location_of(receiver)
    state.reminders.plan(
        f"silence/{silence.id}",
        silence.ends_at,
        int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
        receiver,
        ends_text(f"Silence {silence.id}", silence.ends_at, silence.comment, where),
        state.now,
    )


def _put(state: State, window: Window) -> None:
    """Know it as it is from now on, and look again at what waits for it."""
    window = replace(window, looked_at=state.now)
    state.windows.put(window)
    expiry, wish = window.expires_at, window.wish
    receiver = _receiver(state, wish.remind_to, wish.owner)
    what, where = f"Maintenance window {window.id}", state.plan.location_of(receiver)
    state.reminders.plan(
        window.cause,
        expiry,
        wish.remind_before,
        receiver,
        ends_text(what, expiry or 0, wish.comment, where),
        state.now,
    )
    suppression.release(state, window.cause)


def _receiver(state: State, wanted: str, owner: str) -> str:
    """Who is reminded: the receiver or user that was named, the owner, or the root's receiver."""
    config = state.plan.config
    if config is None:
        return wanted or owner
    for name in (wanted, owner):
        if name in config.receivers:
            return name
        if (user := config.users.get(name)) is not None:
            for one in user.receivers((_SEVERITY,), config.time_intervals, state.now):
                return one
    return config.route.receiver
