"""The router's state for people: alerts and groups, from what the checkpoint holds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from notifiers import suppression
from notifiers.alert_book import Alert
from notifiers.alert_log import KINDS, AlertLog
from notifiers.checkpoint import Checkpoint, entries_under
from notifiers.group import Group, Line
from notifiers.oncall.book import MadeOverride, OverrideBook
from notifiers.silences import Silence, SilenceState, unpacked_silence
from notifiers.state import State
from schemas.alerts import AlertState

Stored = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert; times in ms.

    `receivers` are those of the groups it is a member of, else those that its labels lead to.
    `silenced_by` are ids of silences, `inhibited_by` fingerprints, `muted_by` names of the time
    intervals that mute all groups it is in. `expires_at`: when it resolves unless posted again.
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
    expires_at: int | None = None
    windows: tuple[str, ...] = ()
    """Ids of the maintenance windows that hide it."""


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
    route_labels: dict[str, str] = field(default_factory=dict)
    """As they are written: templates."""


@dataclass(frozen=True, slots=True)
class SilenceView:
    """One silence and its state."""

    silence: Silence
    state: SilenceState


def loaded(state: Stored) -> State:
    """Everything that a checkpoint holds, in memory."""
    known = State()
    for key, value in state:
        known.checkpoint.restore(key, value)
    known.load()
    return known


def counted(state: Stored) -> Counter[AlertState]:
    """How many alerts are in which state; `state` may hold no more than the keys of alerts."""
    checkpoint, log = Checkpoint(), AlertLog()
    for key, value in state:
        checkpoint.restore(key, value)
    for key, entry in checkpoint.load().items():
        kind, _, name = key.partition("/")
        if kind in KINDS:
            log.restore(kind, name, entry)
    alerts = [one.alert for one in log.load().values()]
    return Counter(one.shown.state for one in alerts if one.shown is not None)


def shown(known: State, now: int) -> list[AlertView]:
    """Every alert that is pending, firing, or resolved not longer than an hour ago.

    `now` is the instant for which silences and time intervals are asked.
    """
    muted = _muted_groups(known, now)
    found = (_alert(alert, known, muted, now) for alert in known.alerts.values())
    return sorted((one for one in found if one is not None), key=place)


def groups_shown(known: State, now: int) -> list[GroupView]:
    """Every group that has alerts, by key and receiver."""
    muted = _muted_groups(known, now)
    return sorted(
        (_group(group, known, muted, now) for group in known.groups.values() if group.members),
        key=lambda view: (view.key, view.receiver),
    )


def silences(state: Stored, now: int) -> list[SilenceView]:
    """Every silence that is known, by id; those that expired too, for 120 h."""
    entries = entries_under("silence", state)
    found = (unpacked_silence(name, entry) for name, entry in entries.items())
    return [SilenceView(one, one.state_at(now)) for one in sorted(found, key=lambda one: one.id)]


def overrides(state: Stored) -> list[MadeOverride]:
    """Every override of a schedule that was made by command, by id."""
    book = OverrideBook()
    for name, entry in entries_under(book.prefix, state).items():
        book.load(name, entry)
    return [book.known[name] for name in sorted(book.known)]


def remembered(state: Stored, prefix: str) -> dict[str, bytes]:
    """The entries of one book, by name; `state` may hold no more than its keys."""
    return entries_under(prefix, state)


def packed(known: State, prefix: str) -> dict[str, bytes]:
    """The same of a state in memory."""
    books = (known.heartbeats, known.drills, known.resends)
    found = next(book for book in books if book.prefix == prefix)
    return {name: one.packed() for name, one in found.known.items()}


def _muted_groups(known: State, now: int) -> dict[str, tuple[str, ...]]:
    """The names of the time intervals that mute each group."""
    config = known.plan.config
    if config is None:
        return {}
    routes = {name: suppression.muted_by(config, name, known, now) for name in known.plan.routes}
    return {group.id: routes.get(group.route_id, ()) for group in known.groups.values()}


def _alert(
    alert: Alert, known: State, muted: dict[str, tuple[str, ...]], now: int
) -> AlertView | None:
    level = alert.shown
    if level is None:
        return None
    source = known.inhibitor.source(level.labels)
    mutes = [muted.get(group_id, ()) for group_id in alert.groups]
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
        receivers=_receivers(alert, known),
        silenced_by=known.silences.active(alert.fingerprint, level.labels, now),
        inhibited_by=() if source is None else (source,),
        muted_by=tuple(sorted({name for names in mutes for name in names})) if all(mutes) else (),
        updated_at=max(alert.updated_at, alert.heard[1]),
        expires_at=alert.expires_at,
        windows=known.windows.active(alert.fingerprint, level.labels, now),
    )


def _receivers(alert: Alert, known: State) -> tuple[str, ...]:
    if alert.groups or known.plan.config is None or alert.shown is None:
        return tuple(sorted({known.groups[one].receiver for one in alert.groups}))
    labels = {name: value for name, value in alert.shown.labels.items() if value}
    return tuple(sorted({route.receiver for route in known.plan.config.route.match(labels)}))


def _group(group: Group, known: State, muted: dict[str, tuple[str, ...]], now: int) -> GroupView:
    members = (_alert(known.alerts[one], known, muted, now) for one in group.members)
    return GroupView(
        key=group.key,
        receiver=group.receiver,
        labels=dict(group.labels),
        due=group.due,
        alerts=tuple(sorted((one for one in members if one is not None), key=place)),
        channels=tuple(
            _channel(line)
            for line in sorted(group.lines.values(), key=lambda one: one.index)
            if line.kind
        ),
        muted_by=muted.get(group.id, ()),
        route_labels=dict(route.labels) if (route := known.plan.routes.get(group.route_id)) else {},
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
