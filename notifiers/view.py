"""The router's state for people: alerts and groups, from what the checkpoint holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from notifiers.alert_book import Alert, unpacked
from notifiers.checkpoint import Checkpoint
from notifiers.group import Group, Line, unpacked_group, unpacked_line
from notifiers.silences import Silence, SilenceState, unpacked_silence
from schemas.alerts import AlertState

Stored = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert; times in ms.

    `receivers` are those of the groups it is a member of, else those that its labels lead to.
    `silenced_by` are ids of silences, `inhibited_by` fingerprints, `muted_by` names of the time
    intervals that mute all groups it is in.
    """

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    state: AlertState
    active_at: int
    starts_at: int | None
    ends_at: int | None
    value: float
    generator_url: str
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class ChannelView:
    """What one channel of a group's receiver was told last, and what is on its way."""

    channel: str
    integration: int
    told_at: int | None
    why: str
    outstanding: str
    attempt: int


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group; `due` is its next flush, `muted_by` names the time intervals that mute it."""

    key: str
    receiver: str
    labels: dict[str, str]
    due: int
    alerts: tuple[AlertView, ...]
    channels: tuple[ChannelView, ...]
    muted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SilenceView:
    """One silence and its state."""

    silence: Silence
    state: SilenceState


@dataclass(frozen=True, slots=True)
class _Known:
    alerts: dict[str, Alert]
    groups: dict[str, Group]


def alerts(state: Stored, now: int | None = None) -> list[AlertView]:
    """Every alert that is pending, firing, or resolved not longer than an hour ago."""
    known = _known(state)
    return shown(known.alerts.values(), known.groups)


def shown(alerts: Iterable[Alert], groups: Mapping[str, Group]) -> list[AlertView]:
    """The same of alerts in memory."""
    found = (_alert(alert, groups) for alert in alerts)
    return sorted((one for one in found if one is not None), key=place)


def groups(state: Stored, now: int | None = None) -> list[GroupView]:
    """Every group, by key and receiver."""
    known = _known(state)
    return sorted(
        (_group(group, known) for group in known.groups.values()),
        key=lambda view: (view.key, view.receiver),
    )


def silences(state: Stored, now: int) -> list[SilenceView]:
    """Every silence that is known, by id; those that expired too, for 120 h."""
    checkpoint = Checkpoint()
    for key, value in state:
        checkpoint.restore(key, value)
    found = (
        unpacked_silence(key.removeprefix("silence/"), entry)
        for key, entry in checkpoint.load().items()
        if key.startswith("silence/")
    )
    return [SilenceView(one, one.state_at(now)) for one in sorted(found, key=lambda one: one.id)]


def _known(state: Stored) -> _Known:
    checkpoint = Checkpoint()
    for key, value in state:
        checkpoint.restore(key, value)
    known = _Known({}, {})
    lines: list[tuple[str, Line]] = []
    for key, entry in checkpoint.load().items():
        kind, _, rest = key.partition("/")
        if kind == "alert":
            known.alerts[rest] = unpacked(rest, entry)
        elif kind == "group":
            known.groups[rest] = unpacked_group(rest, entry)
        elif kind == "outbox":
            lines.append((rest.partition("/")[0], unpacked_line(entry)))
    for group_id, line in lines:
        known.groups[group_id].lines[line.id] = line
    for alert in known.alerts.values():
        for group_id in alert.groups:
            known.groups[group_id].members[alert.fingerprint] = 0
    return known


def _alert(alert: Alert, known: Mapping[str, Group]) -> AlertView | None:
    level = alert.shown
    if level is None:
        return None
    return AlertView(
        fingerprint=alert.fingerprint,
        labels=level.labels,
        annotations=level.annotations,
        state=level.state,
        active_at=level.active_at,
        starts_at=level.starts_at,
        ends_at=level.ends_at,
        value=level.value,
        generator_url=level.generator_url,
        receivers=tuple(sorted({known[group_id].receiver for group_id in alert.groups})),
    )


def _group(group: Group, known: _Known) -> GroupView:
    members = (_alert(known.alerts[one], known.groups) for one in group.members)
    return GroupView(
        key=group.key,
        receiver=group.receiver,
        labels=dict(group.labels),
        due=group.due,
        alerts=tuple(sorted((one for one in members if one is not None), key=place)),
        channels=tuple(
            _channel(line) for line in sorted(group.lines.values(), key=lambda one: one.index)
        ),
    )


def _channel(line: Line) -> ChannelView:
    out = line.outstanding
    return ChannelView(
        channel=line.kind,
        integration=line.index,
        told_at=None if line.told is None else line.told.at,
        why="" if line.why is None else str(line.why),
        outstanding="" if out is None else out.id,
        attempt=0 if out is None else out.attempt,
    )


def place(view: AlertView) -> tuple[tuple[str, str], ...]:
    """Where an alert stands among others: by its labels."""
    return tuple(sorted(view.labels.items()))
