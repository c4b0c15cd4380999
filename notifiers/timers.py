"""What is due by itself: flushes, retries, ends of posted alerts, and the books' alarms."""

from notifiers import flush, posted
from notifiers.registry import RINGS
from notifiers.state import State


def fire(state: State) -> None:
    """Do what is due at or before `now`, in the order of time; at one instant timers go first."""
    while (due := state.next_due()) is not None and due <= state.now:
        timer = state.next_timer()
        if timer is not None and timer[0] == due:
            _fire(state, timer[1], timer[2])
        else:
            alarm = state.next_alarm()
            assert alarm is not None
            RINGS[alarm[1].prefix](state, alarm[2])


def _fire(state: State, group_id: str, line: str) -> None:
    if not group_id:
        posted.expire(state, state.alerts[line])
        return
    group = state.groups[group_id]
    if line:
        flush.again(state, group, group.lines[line])
    else:
        flush.flush(state, group)
    flush.clean(state, group)
