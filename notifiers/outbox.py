"""What leaves the router: each delivery until its fate is known, and the decisions.

Per group and channel one delivery is outstanding. A flush that comes meanwhile waits, and is
decided on the newest state as soon as the receipt is there; so a resolve never overtakes a
trigger. What counts as told:

- *delivered*: told, as of the flush that decided it; resolved alerts in it leave the group.
- *refused*: not told. The next flush decides anew, under a new id (as Alertmanager does): a
  receiver that is mended gets its page within one `group_interval`, and nothing loops faster.
- *retry*: the same delivery under the same id with the next attempt, at the courier's time or
  after the router's own backoff, whichever is later. If the group changed meanwhile, or the
  delivery has expired, a new decision on the newest state takes its place; it may be that there
  is nothing to say any more.
- *nothing heard* until `expires_at` and a grace: the same id again with a later expiry (the
  receiver may have got it: the id tells it so), unless the group changed meanwhile.
"""

from types import MappingProxyType

from notifiers import holding
from notifiers.group import Group, Line, Outstanding
from notifiers.message import Content, short
from notifiers.state import State
from notifiers.storms import notices
from schemas.deliveries import Decision, Delivery, Why
from schemas.labels import derived_id
from schemas.stage import Output
from schemas.topics import DELIVERIES, HISTORY

GRACE = 60_000
SHORTEST_LIFE = 60_000
FIRST_BACKOFF, LONGEST_BACKOFF = 5_000, 300_000
LONGEST_WAIT = 3_600_000
"""A receiver that wants to be left alone for longer is asked again after an hour all the same."""
MOST_NAMED = 10_000


def life(state: State, group: Group) -> int:
    """How long a delivery is worth trying, in ms."""
    return max(state.plan.routes[group.route_id].group_interval, SHORTEST_LIFE)


def send(state: State, group: Group, line: Line, out: Outstanding, said: Content) -> None:
    """Publish this attempt."""
    incident = state.incidents.of(group.id)
    name = "" if incident is None else incident.id
    state.wake(out.wake, group.id, line.id)
    state.counts["delivery decided"] += 1
    event = Delivery(
        id=out.id,
        group_key=group.key,
        receiver=line.receiver,
        integration=line.index,
        channel=line.kind,
        why=out.why,
        attempt=out.attempt,
        decided_at=out.at,
        expires_at=out.expires_at,
        group_labels=short(dict(group.labels)),
        common_labels=said.common_labels,
        common_annotations=said.common_annotations,
        told=said.told,
        truncated=said.truncated,
        external_url=state.external_url,
        route_labels=dict(state.plan.routes[group.route_id].labels),
        incident=name,
        acknowledged_by="" if incident is None else incident.acknowledged_by,
        reference=line.reference[1] if line.reference[0] == name else "",
        notice=_notice(state, line, out),
    )
    attempt = derived_id("attempt", out.id, out.attempt)
    state.outputs.append(Output(DELIVERIES, line.receiver, attempt, event))


def _notice(state: State, line: Line, out: Outstanding) -> str:
    """What the alerts themselves do not say."""
    escalated = line.notice if out.firing else ""
    return " ".join(filter(None, (escalated, notices.notice(state, out.firing))))


def postpone(state: State, group: Group, line: Line, out: Outstanding, retry_at: int) -> None:
    """Try again, at the courier's time or after our own backoff, whichever is later."""
    line.failures += 1
    out.wake = next_try(line.failures, retry_at, state.now)
    state.wake(out.wake, group.id, line.id)


def next_try(failures: int, retry_at: int, now: int) -> int:
    """When to try again after so many failures in a row; `retry_at` is the courier's wish."""
    backoff: int = min(FIRST_BACKOFF * 2 ** min(failures - 1, 16), LONGEST_BACKOFF)
    return min(max(retry_at, now + backoff), now + LONGEST_WAIT)


def forget(state: State, line: Line) -> None:
    """Nothing is outstanding any more."""
    if line.outstanding is not None:
        state.sent.pop(line.outstanding.id, None)
        line.outstanding = None


def record(
    state: State,
    group: Group,
    line: Line,
    at: int,
    why: Why,
    delivery: str,
    firing: frozenset[str],
    resolved: frozenset[str],
    causes: holding.Hidden = MappingProxyType({}),
) -> None:
    """Write a decision for history; `causes` of what is held."""
    fires, over = sorted(firing)[:MOST_NAMED], sorted(resolved)[:MOST_NAMED]
    # A group that closes and opens again at one instant numbers its decisions anew.
    about = (delivery,) if delivery else (line.held, *fires, "", *over)
    name = derived_id("decision", group.id, line.id, at, line.sequence, why, *about)
    line.sequence += 1
    incident = state.incidents.of(group.id)
    held, unnamed = holding.listed(causes) if causes else ((), 0)
    event = Decision(
        id=name,
        at=at,
        group_key=group.key,
        receiver=line.receiver,
        integration=line.index,
        why=why,
        delivery=delivery,
        firing=tuple(fires),
        resolved=tuple(over),
        channel=line.kind,
        route=state.plan.ways.get(group.route_id, ()),
        held=held,
        due=group.due,
        repeat_at=repeat_at(state, group, line, at if delivery else None) if firing else None,
        incident="" if incident is None else incident.id,
        unnamed=unnamed + max(0, len(firing) - MOST_NAMED) + max(0, len(resolved) - MOST_NAMED),
    )
    state.outputs.append(Output(HISTORY, "router", name, event))


def repeat_at(state: State, group: Group, line: Line, said_at: int | None = None) -> int | None:
    """When the channel is told again if nothing changes: the first look after `repeat_interval`.

    `said_at` is when it is told now, if it is. None where nothing that fires was told.
    """
    if said_at is None:
        said_at = line.told.at if line.told is not None and line.told.firing else None
    route = state.plan.routes.get(group.route_id)
    if said_at is None or route is None:
        return None
    late = said_at + route.repeat_interval - group.due
    return (
        group.due
        if late < 0
        else group.due + (late // route.group_interval + 1) * (route.group_interval)
    )
