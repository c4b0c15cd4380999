"""Alerts that others post: merged and timed out as Alertmanager does it.

Sources: `provider/mem.Alerts.Put` (which announcements overlap), `alert.Alert.Merge`,
`api/v2.postAlertsHandler` (`resolve_timeout`). The newest post in the log's order counts, also
over what a detector says of the same labels, until the detector says something again.
"""

from notifiers import dispatch
from notifiers.alert_book import Alert, Turn, spelled
from notifiers.lean import lean
from notifiers.state import State
from schemas.alerts import AlertBatch, AlertLevel, AlertState

SOURCE = "api"
"""The `source` of batches that hold what others posted."""
_RESOLVE_TIMEOUT = 300_000
_FOREVER = 2**62


def take(state: State, batch: AlertBatch) -> None:
    """Merge each of these alerts with what is known of it."""
    spellings = [spelled(level.labels) for level in batch.alerts]
    strangers = state.strangers(spellings)
    for level, spelling in zip(batch.alerts, spellings, strict=True):
        _take(state, state.meet(spelling, strangers), level, batch.decided_at)


def expire(state: State, alert: Alert) -> None:
    """Nobody has posted the alert again in time."""
    level = alert.level
    assert level is not None
    assert alert.expires_at is not None
    alert.level = level.model_copy(
        update={"state": AlertState.RESOLVED, "ends_at": alert.expires_at}
    )
    alert.expires_at = None
    state.touched_alerts.add(alert.fingerprint)
    state.touched_lives.add(alert.fingerprint)
    state.counts["alert timed out"] += 1
    dispatch.place(state, alert, Turn.RESOLVED)


def _take(state: State, alert: Alert, level: AlertLevel, decided_at: int) -> None:
    starts_at, ends_at, timed_out = _span(state, level, decided_at)
    if alert.level is not None:
        starts_at, ends_at = _merged(alert, starts_at, ends_at, state.now)
    alert.timed_out = timed_out
    alert.updated_at = decided_at
    state.touched_lives.add(alert.fingerprint)
    over = ends_at <= state.now
    fired = alert.fires
    turn = _turn(fired, over)
    if over:
        alert.expires_at = None
    else:
        state.expire_at(alert, ends_at)
    known = alert.level
    if turn is Turn.SHOWN and known is not None and _says_the_same(level, known, starts_at):
        state.counts["level unchanged"] += 1
        return
    alert.pending = None
    alert.level = lean(_told(level, starts_at, ends_at if over else None))
    state.touched_alerts.add(alert.fingerprint)
    state.counts["level changed"] += 1
    dispatch.place(state, alert, turn)


def _span(state: State, level: AlertLevel, decided_at: int) -> tuple[int, int, bool]:
    """When it starts and ends, and whether nobody but `resolve_timeout` says so."""
    ends_at = level.ends_at
    starts_at = level.starts_at
    if starts_at is None:
        starts_at = decided_at if ends_at is None else ends_at
    if ends_at is not None:
        return starts_at, ends_at, False
    if level.state is AlertState.RESOLVED:
        return starts_at, decided_at, False
    config = state.plan.config
    timeout = _RESOLVE_TIMEOUT if config is None else config.resolve_timeout
    return starts_at, decided_at + timeout, True


def _merged(alert: Alert, starts_at: int, ends_at: int, now: int) -> tuple[int, int]:
    """Both instants, with the known alert's where the two overlap."""
    known = alert.level
    assert known is not None
    began = known.active_at if known.starts_at is None else known.starts_at
    ended, timed_out = alert.expires_at, alert.timed_out
    if not alert.fires:
        ended = known.ends_at
    elif ended is None:
        # A detector's alert has no end that could outlast what is posted now.
        ended, timed_out = _FOREVER, True
    assert ended is not None
    if not (began < ends_at < ended or began < starts_at < ended):
        return starts_at, ends_at
    over, was_over = ends_at <= now, ended <= now
    if ended > ends_at and (was_over if over else not timed_out):
        ends_at = ended
    return min(began, starts_at), ends_at


def _told(level: AlertLevel, starts_at: int, ended_at: int | None) -> AlertLevel:
    """The level with these instants; as a rule it has them."""
    state = AlertState.FIRING if ended_at is None else AlertState.RESOLVED
    if (level.state, level.active_at, level.starts_at, level.ends_at) == (
        *(state, starts_at, starts_at, ended_at),
    ):
        return level
    return level.model_copy(
        update={
            "state": state,
            "active_at": starts_at,
            "starts_at": starts_at,
            "ends_at": ended_at,
        }
    )


def _turn(fired: bool, over: bool) -> Turn:
    if over:
        return Turn.RESOLVED if fired else Turn.CAME_RESOLVED
    return Turn.SHOWN if fired else Turn.FIRED


def _says_the_same(level: AlertLevel, known: AlertLevel, starts_at: int) -> bool:
    return (
        known.starts_at == starts_at
        and level.annotations == known.annotations
        and level.generator_url == known.generator_url
    )
