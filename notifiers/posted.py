"""Alerts that others post: merged and timed out as Alertmanager does it.

Sources: `provider/mem.Alerts.Put` (which announcements overlap), `alert.Alert.Merge`,
`api/v2.postAlertsHandler` (`resolve_timeout`). The newest post in the log's order counts, also
over what a detector says of the same labels, until the detector says something again.
"""

from collections.abc import Sequence
from sys import intern

from notifiers import dispatch
from notifiers.alert_book import Alert, Turn
from notifiers.level import Level
from notifiers.state import State
from schemas.alerts import AlertBatch, AlertState, PostedAlerts
from schemas.pairs import canonical, packed, packed_labels

SOURCE = "api"
"""The `source` of batches that hold what others posted."""
_RESOLVE_TIMEOUT = 300_000
_FOREVER = 2**62


def take(state: State, batch: PostedAlerts) -> None:
    """Merge each of these alerts with what is known of it."""
    known = state.by_labels
    sets: Sequence[bytes] = batch.labels
    if strange := [one for one in sets if one not in known]:
        well = dict(zip(strange, canonical(strange), strict=True))
        sets = [well.get(one, one) for one in sets]
    strangers = state.strangers(sets)
    config, decided_at = state.plan.config, batch.decided_at
    times_out = decided_at + (_RESOLVE_TIMEOUT if config is None else config.resolve_timeout)
    for labels, notes, begins, ends_at, url in zip(
        *(sets, batch.annotations, batch.starts_at, batch.ends_at, batch.generator_urls),
        strict=True,
    ):
        alert = known.get(labels) or state.meet(labels, strangers)
        alert.updated_at = decided_at
        # Most begin when they are posted: one number for all of them takes less room.
        starts_at = decided_at if begins == decided_at else begins
        _take(state, alert, notes, starts_at, ends_at, times_out, url)


def of_batch(batch: AlertBatch) -> PostedAlerts:
    """The same of what an older version wrote, and of what a script says."""
    levels, at = batch.alerts, batch.decided_at
    over = [one.state is AlertState.RESOLVED for one in levels]
    ends = tuple(
        at if one.ends_at is None and is_over else one.ends_at
        for one, is_over in zip(levels, over, strict=True)
    )
    starts = tuple(
        (at if one.ends_at is None else one.ends_at) if one.starts_at is None else one.starts_at
        for one in levels
    )
    return PostedAlerts(
        decided_at=at,
        labels=tuple(packed_labels(one.labels) for one in levels),
        annotations=tuple(packed(one.annotations) for one in levels),
        starts_at=starts,
        ends_at=ends,
        generator_urls=tuple(one.generator_url for one in levels),
    )


def expire(state: State, alert: Alert) -> None:
    """Nobody has posted the alert again in time."""
    level = alert.level
    assert level is not None
    assert alert.expires_at is not None
    alert.level = level.resolved(alert.expires_at)
    alert.expires_at = None
    state.touched_alerts.add(alert.fingerprint)
    state.touched_lives.add(alert.fingerprint)
    state.counts["alert timed out"] += 1
    dispatch.place(state, alert, Turn.RESOLVED)


def _take(
    state: State,
    alert: Alert,
    notes: bytes,
    starts_at: int,
    said: int | None,
    times_out: int,
    url: str,
) -> None:
    """`said`: when it ends, where whoever posted it said so; else it times out."""
    known, now = alert.level, state.now
    ends_at = times_out if said is None else said
    if known is not None:
        starts_at, ends_at = _merged(alert, known, starts_at, ends_at, now)
    alert.timed_out = said is None
    over = ends_at <= now
    fired = known is not None and known.state is AlertState.FIRING
    if over:
        alert.expires_at = None
    else:
        state.expire_at(alert, ends_at)
    if (
        known is not None
        and fired
        and not over
        and known.starts_at == starts_at
        and known.notes == notes
        and known.generator_url == url
    ):
        state.touched_lives.add(alert.fingerprint)
        state.counts["level unchanged"] += 1
        return
    alert.pending = None
    alert.level = Level(
        alert.packed_labels,
        notes,
        AlertState.RESOLVED if over else AlertState.FIRING,
        # Whoever names an end alone has named it as the start, too, and each post a later one:
        # what fires all the while goes on all the same.
        known.active_at if known is not None and fired and starts_at > now else starts_at,
        starts_at,
        ends_at if over else None,
        intern(url),
    )
    state.touched_alerts.add(alert.fingerprint)
    state.counts["level changed"] += 1
    dispatch.place(state, alert, _turn(fired, over))


def _merged(alert: Alert, known: Level, starts_at: int, ends_at: int, now: int) -> tuple[int, int]:
    """Both instants, with the known alert's where the two overlap."""
    began = known.active_at if known.starts_at is None else known.starts_at
    ended, timed_out = alert.expires_at, alert.timed_out
    if known.state is not AlertState.FIRING:
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


def _turn(fired: bool, over: bool) -> Turn:
    if over:
        return Turn.RESOLVED if fired else Turn.CAME_RESOLVED
    return Turn.SHOWN if fired else Turn.FIRED
