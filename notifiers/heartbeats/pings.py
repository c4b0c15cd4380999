"""What pings, deadlines and plans make of heartbeats; healthchecks.io's rules.

A success brings it up, a failure takes it down at once, a start begins a run, a log says nothing
but its text. Whoever is down is announced as an alert until the next success.
"""

from notifiers.heartbeats import words
from notifiers.heartbeats.definition import Definition
from notifiers.heartbeats.heartbeat import Cause, Heartbeat
from notifiers.own_alerts import announce
from notifiers.state import State
from schemas.heartbeats import Ping, Signal

SOURCE = "heartbeats"


def take(state: State, ping: Ping) -> None:
    """A job was heard."""
    heartbeat = state.heartbeats.known.get(ping.heartbeat)
    if heartbeat is None:
        state.counts["ping unknown"] += 1
        return
    state.counts[f"ping {ping.signal}"] += 1
    ended = ping.signal in {Signal.SUCCESS, Signal.FAIL}
    if ended or ping.body:
        heartbeat.body = ping.body
    if ping.signal is Signal.START:
        heartbeat.begins(ping.run, state.now)
    elif ended:
        failed = ping.signal is Signal.FAIL
        heartbeat.ends(ping.run, state.now, failed=failed)
        heartbeat.exit_status = ping.exit_status
        if failed:
            _fall(state, heartbeat, Cause.FAILED, state.now)
        elif heartbeat.cause is not None:
            _rise(state, heartbeat, state.now)
    state.heartbeats.put(heartbeat)


def ring(state: State, name: str) -> None:
    """A deadline passed: nothing was heard, or a run lasts too long."""
    heartbeat = state.heartbeats.known[name]
    at, overdue = heartbeat.deadline, heartbeat.overdue
    assert at is not None
    cause = Cause.OVERRAN if overdue is not None and overdue <= at else Cause.MISSED
    _fall(state, heartbeat, cause, at)
    longest = heartbeat.definition.max_runtime
    # What overran is not waited for any more, or the next success would not bring it up.
    heartbeat.runs = {run: start for run, start in heartbeat.runs.items() if start + longest > at}
    state.heartbeats.put(heartbeat)


def follow(state: State) -> None:
    """Take over what the plan says: what is new begins now, what is gone ends."""
    assert state.plan.config is not None
    wanted, book = state.plan.config.heartbeats if state.plan.home else {}, state.heartbeats
    for name in sorted(book.known.keys() - wanted.keys()):
        if book.known[name].cause is not None:
            _rise(state, book.known[name], state.now)
        book.forget(name)
    for name in sorted(wanted):
        known = book.known.get(name)
        if known is None:
            book.put(Heartbeat(wanted[name], state.now))
        elif known.definition != wanted[name]:
            _change(state, known, wanted[name])


def _change(state: State, heartbeat: Heartbeat, definition: Definition) -> None:
    """A new definition moves the deadline, which may lie ahead again."""
    cause, down_at, before = heartbeat.cause, heartbeat.down_at, heartbeat.definition
    heartbeat.definition = definition
    if cause is not None:
        missed = heartbeat.expected + definition.grace <= state.now
        if cause is Cause.MISSED and not missed:
            _rise(state, heartbeat, state.now)
        else:
            if before.labels != definition.labels:
                _rise(state, heartbeat, state.now)
            _fall(state, heartbeat, cause, down_at)
    state.heartbeats.put(heartbeat)


def _fall(state: State, heartbeat: Heartbeat, cause: Cause, at: int) -> None:
    """It goes down; or, being down, is announced with what is new."""
    if heartbeat.cause is None:
        heartbeat.cause, heartbeat.down_at = cause, at
        heartbeat.alert = words.labels(heartbeat.definition, cause)
        state.counts["heartbeat down"] += 1
    heartbeat.reason = words.reason(heartbeat, cause, at)
    labels, notes = dict(heartbeat.alert), words.annotations(heartbeat)
    announce(state, SOURCE, labels, notes, heartbeat.down_at, reason=heartbeat.reason)


def _rise(state: State, heartbeat: Heartbeat, at: int) -> None:
    labels, notes = dict(heartbeat.alert), words.annotations(heartbeat)
    began, reason = heartbeat.down_at, heartbeat.reason
    heartbeat.cause, heartbeat.reason, heartbeat.alert = None, "", ()
    state.counts["heartbeat up"] += 1
    announce(state, SOURCE, labels, notes, began, at, reason)
