"""How an alert stands now: which ways it goes, and for each channel what was told or holds it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from notifiers import outbox, suppression
from notifiers.alert_book import Alert
from notifiers.channels.config import ChannelConfig
from notifiers.explain.asked import Asked
from notifiers.explain.causes import Cause, cause, damped, limited
from notifiers.explain.times import clock, length
from notifiers.group import Group, Line, line_id
from notifiers.incidents import lifecycle
from notifiers.level import Level
from notifiers.route_tree import Route
from notifiers.state import State
from schemas.alerts import AlertState
from schemas.waits import waited

MOST = 20
"""Alerts that are explained at once."""


class Standing(StrEnum):
    """How one channel stands to one alert."""

    TOLD = "told"
    HELD = "held"
    SENDING = "sending"
    WAITING = "waiting"
    NO_CHANNELS = "no channels"
    OVER = "over"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class ChannelNow:
    """One channel; `told_at` is the look at which it was told last that the alert fires."""

    receiver: str
    channel: str
    integration: int
    standing: Standing
    text: str
    held: tuple[Cause, ...] = ()
    told_at: int | None = None
    repeat_at: int | None = None
    delivery: str = ""
    attempt: int = 0
    retry_at: int | None = None


@dataclass(frozen=True, slots=True)
class WayNow:
    """One way through the route tree; `due` is the group's next look, None without a group."""

    receiver: str
    route: tuple[str, ...]
    group: str
    due: int | None
    incident: str
    channels: tuple[ChannelNow, ...]


@dataclass(frozen=True, slots=True)
class AlertNow:
    """One alert as the router knows it; instants in ms."""

    fingerprint: str
    level: Level
    now: int
    ways: tuple[WayNow, ...]


def live(state: State, what: Asked, now: int) -> list[AlertNow]:
    """The alerts that are asked for, in order of their fingerprints; one more than MOST at most."""
    found = []
    for name in sorted(_named(state, what)):
        alert = state.alerts.get(name)
        level = None if alert is None else alert.shown
        if alert is None or level is None or not (what.fingerprint == name or _fits(what, level)):
            continue
        found.append(AlertNow(name, level, now, tuple(_ways(state, alert, level, now))))
        if len(found) > MOST:
            break
    return found


def _named(state: State, what: Asked) -> Iterable[str]:
    if what.labels:
        return state.alerts
    names = {what.fingerprint} if what.fingerprint in state.alerts else set()
    for name, incident in state.incidents.known.items():
        # An incident can be named by the beginning of its id.
        if what.incident and name.startswith(what.incident):
            group = state.groups.get(incident.group_id)
            names |= set() if group is None else group.members.keys()
    return names


def _fits(what: Asked, level: Level) -> bool:
    return what.wants(level.labels)


def _ways(state: State, alert: Alert, level: Level, now: int) -> Iterator[WayNow]:
    groups = [state.groups[one] for one in sorted(alert.groups)]
    for group in groups:
        channels = tuple(_channels(state, group, alert, now))
        incident = state.incidents.of(group.id)
        way = state.plan.ways.get(group.route_id, ())
        name = "" if incident is None else incident.id
        yield WayNow(group.receiver, way, group.key, group.due, name, channels)
    if not groups and state.plan.config is not None:
        labels = {name: value for name, value in level.labels.items() if value}
        for route in state.plan.config.route.match(labels):
            yield _without_group(state, route, level, now)


def _without_group(state: State, route: Route, level: Level, now: int) -> WayNow:
    """It fires no more and everybody knows, or does not fire yet: where it would go."""
    if level.state is AlertState.PENDING:
        standing = Standing.PENDING
        text = f"pending: {pending(level, now)}"
    else:
        ended = "" if level.ends_at is None else f" at {clock(level.ends_at, now)}"
        standing, text = Standing.OVER, f"resolved{ended}; nothing is left to say"
    channels = tuple(
        ChannelNow(route.receiver, channel.kind, index, standing, text)
        for index, channel in enumerate(_configured(state, route.receiver))
    ) or (_nobody(route.receiver),)
    return WayNow(route.receiver, state.plan.ways.get(route.id, ()), "", None, "", channels)


def pending(level: Level, now: int) -> str:
    """How long a pending alert's expression has held, of how long its rule's `for` is."""
    held, wait = now - level.active_at, waited(level.reason)
    if wait is None:
        return f"has held for {length(held)}, and does not fire yet"
    if held >= wait:
        return f"has held for {length(held)} of {length(wait)}: fires at the next evaluation"
    return f"has held for {length(held)} of {length(wait)}, fires in {length(wait - held)}"


def fires_at(level: Level) -> int | None:
    """When a pending alert fires if its expression goes on holding (ms); None if not known."""
    wait = waited(level.reason) if level.state is AlertState.PENDING else None
    return None if wait is None else level.active_at + wait


def _configured(state: State, name: str) -> tuple[ChannelConfig, ...]:
    receiver = None if state.plan.config is None else state.plan.config.receivers.get(name)
    return () if receiver is None else receiver.channels


def _nobody(name: str) -> ChannelNow:
    text = f"routed to receiver {name} that has no channels"
    return ChannelNow(name, "", 0, Standing.NO_CHANNELS, text, (Cause(f"receiver/{name}", text),))


def _channels(state: State, group: Group, alert: Alert, now: int) -> Iterator[ChannelNow]:
    incident = state.incidents.of(group.id)
    also = () if incident is None else incident.also
    muted = tuple(cause(state, one, now) for one in _muted(state, group, alert, now))
    for name in (group.receiver, *(one for one in also if one != group.receiver)):
        configured = _configured(state, name)
        if not configured:
            yield _nobody(name)
        for index, channel in enumerate(configured):
            known = group.lines.get(line_id(name, channel.kind, index))
            line = known or Line(name, channel.kind, index)
            if alert.fires or damped(state, alert.fingerprint, now):
                yield _firing(state, group, line, alert.fingerprint, muted, now)
            else:
                ours = suppression.is_ours(state)
                yield _resolved(group, line, channel, alert, muted, now, is_ours=ours)


def _muted(state: State, group: Group, alert: Alert, now: int) -> tuple[str, ...]:
    config = state.plan.config
    if config is None or group.route_id not in state.plan.routes:
        return ()
    names = suppression.muted_by(config, group.route_id, state, now)
    times = tuple(f"{suppression.TIME}/{name}" for name in names)
    return times + suppression.causes(state, alert.fingerprint)


def _firing(
    state: State, group: Group, line: Line, name: str, muted: tuple[Cause, ...], now: int
) -> ChannelNow:
    out = line.outstanding
    told = line.told if line.told is not None and name in line.told.firing else None
    held = muted
    if by := lifecycle.covered_by(state, group, frozenset((name,))):
        held = (*held, cause(state, f"ack/{by}", now))
    if line.limited is not None:
        held = (*held, limited(state, line, now))
    if flaps := damped(state, name, now):
        held = (*held, flaps)
    repeat = outbox.repeat_at(state, group, line) if told is not None and not held else None
    if out is not None and name in out.firing:
        tries = f"attempt {out.attempt} for {length(now - out.at)}"
        standing, text = Standing.SENDING, f"being sent: {out.why}, {tries}"
    elif held:
        standing, text = Standing.HELD, "; ".join(one.text for one in held)
    elif told is not None:
        standing, text = Standing.TOLD, f"told at {clock(told.at, now)}"
    else:
        standing, text = Standing.WAITING, _waiting(group, line, now)
    if told is not None and standing is not Standing.TOLD:
        text = f"told at {clock(told.at, now)}; since then {text}"
    if repeat is not None:
        text = f"{text}, repeats at {clock(repeat, now)}"
    return ChannelNow(
        receiver=line.receiver,
        channel=line.kind,
        integration=line.index,
        standing=standing,
        text=text,
        held=held,
        told_at=None if told is None else told.at,
        repeat_at=repeat,
        delivery="" if out is None else out.id,
        attempt=0 if out is None else out.attempt,
        retry_at=None if out is None else out.wake,
    )


def _waiting(group: Group, line: Line, now: int) -> str:
    if line.outstanding is not None:
        return f"waits until an earlier message ({line.outstanding.why}) is delivered"
    left = f"{length(group.due - now)} left" if group.due > now else "due now"
    if not group.flushed:
        return f"waits for group_wait, {left}"
    failed = f" after {line.failures} failed attempts" if line.failures else ""
    if line.refused:
        return f"refused ({line.refused}), decided anew at the group's next look{failed}, {left}"
    return f"waits for the group's next look{failed}, {left}"


def _resolved(
    group: Group,
    line: Line,
    channel: ChannelConfig,
    alert: Alert,
    muted: tuple[Cause, ...],
    now: int,
    *,
    is_ours: bool,
) -> ChannelNow:
    """How its end stands; `is_ours`: with `suppression: tocsin` it follows though it is muted."""
    told = line.told if line.told is not None and alert.fingerprint in line.told.firing else None
    is_owed = told is not None or alert.fingerprint in line.owed
    ends_at = None if alert.level is None else alert.level.ends_at
    over = "resolved" if ends_at is None else f"resolved at {clock(ends_at, now)}"
    standing = Standing.OVER
    held: tuple[Cause, ...] = ()
    if not is_owed:
        text = f"{over}; it was never told, so nobody hears of its end"
    elif not channel.send_resolved:
        text = f"{over}; this channel does not want to hear of it (send_resolved: false)"
    elif muted and not is_ours:
        standing, held, text = Standing.HELD, muted, "; ".join(one.text for one in muted)
    else:
        standing, text = Standing.WAITING, f"{over}; its end is told at {clock(group.due, now)}"
    told_at = None if told is None else told.at
    return ChannelNow(line.receiver, line.kind, line.index, standing, text, held, told_at=told_at)
