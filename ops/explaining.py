"""Why somebody was paged, or not: the router's state and history brought together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from notifiers.explain.answer import Explanation, explanation
from notifiers.explain.asked import Asked
from notifiers.explain.causes import titled
from notifiers.explain.live import MOST
from notifiers.explain.past import DecisionRow, DeliveryRow, LevelRow, Past
from notifiers.explain.times import clock
from ops.history.errors import HistoryError
from ops.newest_sample import newest_sample
from ops.services import Services

MOST_ROWS: Final = 500
"""Of each kind, the newest."""
_NAMES: Final = "has(firing, {f:String}) OR has(held, {f:String}) OR has(resolved, {f:String})"
_LEVELS: Final = f"""
SELECT toUnixTimestamp64Milli(decided_at), state, toUnixTimestamp64Milli(active_at),
    toUnixTimestamp64Milli(starts_at), toUnixTimestamp64Milli(ends_at), reason,
    toUnixTimestamp64Milli(appended)
FROM alerts FINAL WHERE fingerprint = {{f:String}} AND changed
ORDER BY decided_at DESC LIMIT {MOST_ROWS}
"""
_DECISIONS: Final = f"""
SELECT toUnixTimestamp64Milli(time), receiver, channel, group_key, reason, delivery,
    multiIf(has(firing, {{f:String}}), 'firing', has(held, {{f:String}}), 'held', 'resolved'),
    if(has(held, {{f:String}}), causes[indexOf(held, {{f:String}})], []), route, incident,
    toUnixTimestamp64Milli(repeat_at)
FROM decisions FINAL WHERE {_NAMES}
ORDER BY time DESC LIMIT {MOST_ROWS}
"""
_DELIVERIES: Final = f"""
SELECT delivery, status, toUnixTimestamp64Milli(at), attempt, tries, duration,
    if(empty(detail), reason, detail), receiver,
    channel, toUnixTimestamp64Milli(appended)
FROM deliveries FINAL
WHERE delivery IN (SELECT delivery FROM decisions WHERE delivery != '' AND ({_NAMES}))
ORDER BY at DESC LIMIT {MOST_ROWS}
"""
_LABELS: Final = """
SELECT argMax(labels, decided_at), argMax(generator_url, decided_at) FROM alerts
WHERE fingerprint = {f:String}
"""
_OF_INCIDENT: Final = f"""
SELECT DISTINCT arrayJoin(firing) AS one FROM decisions WHERE incident = {{i:String}}
ORDER BY one LIMIT {MOST + 1}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The explanations, whether there are more; and a sentence where there is none."""

    found: tuple[Explanation, ...]
    is_cut: bool = False
    nothing: str = ""


def explain(services: Services, what: Asked) -> Answer:
    """Explain the alerts that are asked for; history's absence is said, not raised."""
    now = services.now()
    live = sorted(services.explained(what), key=lambda one: one.fingerprint)
    limits = ""
    pasts: dict[str, Past] = {}
    nearest: Past | None = None
    try:
        names = [one.fingerprint for one in live] or _stored(services, what)
        pasts = {one: past for one in names[:MOST] if (past := _past(services, one)) is not None}
        if not pasts and not live:
            nearest = _nearest(services, what)
    except HistoryError as fault:
        limits = f"the past is only what the router remembers: {fault}"
    found = [explanation(one, pasts.get(one.fingerprint), now, limits) for one in live[:MOST]] or [
        explanation(None, past, now) for past in pasts.values()
    ]
    if found:
        return Answer(tuple(found), len(live) > MOST)
    return Answer((), nothing=_nothing(what, nearest, now, limits))


def _stored(services: Services, what: Asked) -> list[str]:
    """The fingerprints that history has for what the router does not know."""
    if what.labels:
        found = _newest(services, what.labels)
        return [] if found is None else [found]
    names = [what.fingerprint] if what.fingerprint else []
    if what.incident:
        rows = services.history_rows(_OF_INCIDENT, {"i": what.incident})
        names += [str(row[0]) for row in rows if str(row[0]) not in names]
    return names


def _newest(services: Services, labels: Mapping[str, str]) -> str | None:
    params = {f"n{at}": name for at, name in enumerate(labels)}
    params |= {f"v{at}": value for at, value in enumerate(labels.values())}
    each = (f"labels[{{n{at}:String}}] = {{v{at}:String}}" for at in range(len(labels)))
    wanted = " AND ".join(each)
    rows = services.history_rows(
        f"SELECT fingerprint FROM alerts WHERE {wanted} ORDER BY decided_at DESC LIMIT 1", params
    )
    return str(rows[0][0]) if rows else None


def _nearest(services: Services, what: Asked) -> Past | None:
    """The newest alert that at least has the name that was asked for."""
    name = what.labels.get("alertname")
    if name is None or len(what.labels) == 1:
        return None
    found = _newest(services, {"alertname": name})
    return None if found is None else _past(services, found)


def _past(services: Services, name: str) -> Past | None:
    def ask(sql: str) -> list[Sequence[Any]]:
        return list(reversed(services.history_rows(sql, {"f": name})))

    levels = _changes([LevelRow(*row) for row in ask(_LEVELS)])
    if not levels:
        return None
    [[named, url]] = ask(_LABELS)
    labels = {str(key): str(value) for key, value in dict(named).items()}
    return Past(
        name,
        labels,
        levels,
        [DecisionRow(*row) for row in ask(_DECISIONS)],
        [DeliveryRow(*row) for row in ask(_DELIVERIES)],
        newest_sample(services, str(url), labels, levels[-1].active_at),
    )


def _changes(levels: list[LevelRow]) -> list[LevelRow]:
    """Posted alerts come again and again; only what differs from the one before is a change."""
    found: list[LevelRow] = []
    for one in levels:
        last = found[-1] if found else None
        # An end that is still to come is no end.
        same = last is not None and (last.state, last.starts_at) == (one.state, one.starts_at)
        if not same:
            found.append(one)
    return found


def _nothing(what: Asked, nearest: Past | None, now: int, limits: str) -> str:
    if nearest is not None and nearest.levels:
        last = nearest.levels[-1]
        state = "resolved" if last.ends_at is not None else f"was {last.state}"
        at = last.at if last.ends_at is None else last.ends_at
        named = titled(nearest.labels)
        return f"no such alert; the last one with this name, {named}, {state} at {clock(at, now)}"
    if what.labels:
        asked = " ".join(f"{name}={value}" for name, value in what.labels.items())
        known = f"no such alert: none with {asked}"
    else:
        known = f"no such alert and no such incident: {what.fingerprint or what.incident}"
    return f"{known} ({limits})" if limits else f"{known}, neither now nor in history"
