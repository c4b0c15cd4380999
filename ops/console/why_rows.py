"""Why somebody was paged, or nobody, as lines of the page; pure."""

from dataclasses import dataclass

from notifiers.explain.answer import Explanation
from notifiers.explain.causes import titled
from notifiers.explain.live import ChannelNow, WayNow
from notifiers.explain.times import length
from ops.explaining import Answer

MOST_SHOWN = 20
"""Alerts that the page explains; the command line has them all."""


@dataclass(frozen=True, slots=True)
class WhyChannel:
    """How one channel stands, by which way an alert came to it, and what holds it."""

    name: str
    standing: str
    text: str
    way: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhyLine:
    """One alert: the answer first, then where its time went, then channel by channel."""

    title: str
    answer: str
    spent: str
    limits: str
    channels: tuple[WhyChannel, ...]


def why_lines(found: Answer) -> list[WhyLine]:
    """One a firing or remembered alert."""
    return [_line(one) for one in found.found[:MOST_SHOWN]]


def more_text(found: Answer) -> str:
    """That there are more alerts than are shown; empty if there are not."""
    if found.is_cut or len(found.found) > MOST_SHOWN:
        return "There are more: tocsin alerts explain has them."
    return ""


def _line(one: Explanation) -> WhyLine:
    ways = () if one.live is None else one.live.ways
    channels = [_channel(way, each) for way in ways for each in way.channels]
    return WhyLine(titled(one.labels), one.answer, _spent(one), one.limits, tuple(channels))


def _channel(way: WayNow, one: ChannelNow) -> WhyChannel:
    name = f"{one.receiver} / {one.channel}" if one.channel else one.receiver
    causes = tuple(each.text for each in one.held)
    path = " → ".join(("root", *way.route[1:])) if way.route else ""
    return WhyChannel(name, str(one.standing), one.text, path, causes)


def _spent(one: Explanation) -> str:
    if one.time is None:
        return ""
    parts = [
        f"{part.name} {length(part.ms)}"
        for part in one.time.parts
        if part.ms is not None and part.ms
    ]
    return f"{length(one.time.total)} until {one.time.receiver} had it: {', '.join(parts)}"
