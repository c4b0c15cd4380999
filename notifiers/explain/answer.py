"""The answer first: one sentence on why somebody was paged, or nobody."""

from dataclasses import dataclass

from notifiers.explain.causes import titled
from notifiers.explain.live import AlertNow, ChannelNow, Standing, pending
from notifiers.explain.past import Breakdown, Moment, Past, breakdown, first_page, timeline
from notifiers.explain.times import clock
from schemas.alerts import AlertState

MOST_MOMENTS = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known of why; `live` is None for what the router has forgotten.

    `limits` says what is not known, and why. `dropped` moments are left out before the newest.
    """

    fingerprint: str
    labels: dict[str, str]
    now: int
    paged: bool
    answer: str
    live: AlertNow | None
    timeline: tuple[Moment, ...]
    dropped: int
    time: Breakdown | None
    limits: str = ""


def explanation(
    live: AlertNow | None, past: Past | None, now: int, limits: str = ""
) -> Explanation:
    """Bring together what the router knows and what is stored; one of the two is there."""
    if live is not None:
        fingerprint, labels = live.fingerprint, live.level.labels
    else:
        assert past is not None
        fingerprint, labels = past.fingerprint, past.labels
    moments = _remembered(live) if past is None else timeline(past, _said(live), now)
    page = None if past is None else first_page(past)
    told = [] if live is None else _told(live)
    paged_at = min((one.told_at for one in told if one.told_at is not None), default=None)
    if page is not None:
        paged_at = page[1].at
    return Explanation(
        fingerprint=fingerprint,
        labels=labels,
        now=now,
        paged=paged_at is not None,
        answer=_answer(titled(labels), live, past, paged_at, now),
        live=live,
        timeline=tuple(moments[-MOST_MOMENTS:]),
        dropped=max(0, len(moments) - MOST_MOMENTS),
        time=None if past is None else breakdown(past),
        limits=limits,
    )


def _answer(
    name: str, live: AlertNow | None, past: Past | None, paged_at: int | None, now: int
) -> str:
    if live is None:
        return _gone(name, past, paged_at, now)
    level = live.level
    match level.state:
        case AlertState.PENDING:
            return f"Nobody was paged because {name} is pending: it {pending(level, now)}."
        case AlertState.RESOLVED:
            return _over(name, paged_at, level.ends_at, now)
        case AlertState.FIRING:
            return _fires(name, live, paged_at, now)


def _fires(name: str, live: AlertNow, paged_at: int | None, now: int) -> str:
    channels = [one for way in live.ways for one in way.channels]
    texts = _distinct(channels)
    if not live.ways:
        return f"Nobody was paged because no routes are in force yet for {name}."
    if paged_at is None:
        return f"Nobody was paged for {name}: {'; '.join(texts)}."
    return f"You were paged because {name} fires: {'; '.join(texts)}."


def _distinct(channels: list[ChannelNow]) -> list[str]:
    """What the channels say, each text once, with those it holds for."""
    wheres: dict[str, list[str]] = {}
    for one in channels:
        where = one.receiver + (f" ({one.channel})" if one.channel else "")
        wheres.setdefault(one.text, []).append(where)
    if len(wheres) == 1 and next(iter(channels)).standing is Standing.NO_CHANNELS:
        return list(wheres)
    return [f"{', '.join(dict.fromkeys(where))} {text}" for text, where in wheres.items()]


def _gone(name: str, past: Past | None, paged_at: int | None, now: int) -> str:
    last = past.levels[-1] if past is not None and past.levels else None
    if last is None:
        return f"Nothing is known of {name}."
    if last.ends_at is None:
        return f"{name} is known no more; it was {last.state} at {clock(last.at, now)}."
    return _over(name, paged_at, last.ends_at, now)


def _over(name: str, paged_at: int | None, ends_at: int | None, now: int) -> str:
    ended = "" if ends_at is None else f" at {clock(ends_at, now)}"
    if paged_at is None:
        return f"Nobody was paged for {name}, which resolved{ended}."
    return f"You were paged at {clock(paged_at, now)} for {name}; it resolved{ended}."


def _told(live: AlertNow) -> list[ChannelNow]:
    return [one for way in live.ways for one in way.channels if one.told_at is not None]


def _said(live: AlertNow | None) -> dict[str, str]:
    if live is None:
        return {}
    channels = (one for way in live.ways for one in way.channels)
    return {cause.cause: cause.text for one in channels for cause in one.held}


def _remembered(live: AlertNow | None) -> list[Moment]:
    """What the router itself remembers of the past."""
    if live is None:
        return []
    level = live.level
    found = []
    if level.starts_at is None or level.active_at < level.starts_at:
        # What others post, and what fires at once, was never pending.
        found.append(Moment(level.active_at, "pending", "its expression holds"))
    if level.starts_at is not None:
        found.append(Moment(level.starts_at, "firing", "fires"))
    found += [
        Moment(one.told_at, "told", f"{one.receiver} ({one.channel})")
        for one in _told(live)
        if one.told_at is not None
    ]
    if level.state is AlertState.RESOLVED and level.ends_at is not None:
        found.append(Moment(level.ends_at, "resolved", "resolves"))
    return sorted(found, key=lambda one: one.at)
