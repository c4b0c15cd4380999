"""What is due by itself: flushes, retries, ends of posted alerts, and the books' alarms."""

from notifiers import flush, posted
from notifiers.registry import RINGS
from notifiers.state import State


def fire(state: State) -> None:
    """Do what is due at or before `now`, in the order of time; at one instant timers go first."""
    while True:
        timer, alarm = state.next_timer(), state.next_alarm()
        if timer is not None and (alarm is None or timer[0] <= alarm[0]):
            if timer[0] > state.now:
                return
            _fire(state, timer[1], timer[2])
        elif alarm is not None and alarm[0] <= state.now:
            RINGS[alarm[1].prefix](state, alarm[2])
        else:
            return


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
