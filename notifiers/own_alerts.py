"""Alerts that the router makes itself: they go through routes, groups and incidents as any other.

They end when the router says so and never by time. History hears of them on a topic of its own,
because the alerts topic, where others announce theirs, is the router's input.
"""

from collections.abc import Mapping

from notifiers import dispatch
from notifiers.level import kept
from notifiers.state import State
from schemas.alerts import AlertBatch, AlertLevel, AlertState
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import HISTORY


def announce(
    state: State,
    source: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts_at: int,
    ends_at: int | None = None,
    reason: str = "",
) -> None:
    """Say that an alert fires since `starts_at`, or that it ended (ms)."""
    level = AlertLevel(
        labels=dict(labels),
        annotations=dict(annotations),
        state=AlertState.FIRING if ends_at is None else AlertState.RESOLVED,
        active_at=starts_at,
        starts_at=starts_at,
        ends_at=ends_at,
        value=1.0,
        reason=reason,
    )
    known = kept(level)
    alert = state.known(known.packed)
    order = (state.plan.number, state.now)
    alert.heard = alert.written = max(alert.heard, order)
    if alert.expires_at is not None:
        alert.expires_at = None
        state.touched_lives.add(alert.fingerprint)
    turn = alert.take(known, state.now)
    state.touched_alerts.add(alert.fingerprint)
    dispatch.place(state, alert, turn)
    batch = AlertBatch(source=source, plan=order[0], decided_at=order[1], alerts=(level,))
    name = derived_id("own-alert", source, *order, level.model_dump_json())
    state.outputs.append(Output(HISTORY, "router", name, batch))
