"""What a delivery says: the alerts in order, what they share, cut to what a message can hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import ormsgpack

from notifiers.grouping import Named, in_order, shared
from notifiers.level import Level
from schemas.alerts import AlertState
from schemas.deliveries import ToldAlerts
from schemas.pairs import END, packed, unpacked

ROOM = 200_000
"""Bytes for alerts: labels may stand thrice in a delivery, and a message holds 1,000,000."""
_WORDS, _WORD = 64, 256


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a delivery that is the same at every attempt."""

    told: ToldAlerts
    truncated: int
    common_labels: dict[str, str]
    common_annotations: dict[str, str]

    def digest(self) -> str:
        """Says whether two contents are the same."""
        whole = [self.told, self.truncated]
        content = ormsgpack.packb(whole, option=ormsgpack.OPT_SERIALIZE_PYDANTIC)
        return blake2b(content, digest_size=12).hexdigest()


def content(alerts: Sequence[Named], max_alerts: int) -> Content:
    """The content for these alerts; what does not fit is counted in `truncated`."""
    return cut(in_order(alerts), max_alerts)


def cut(ordered: Sequence[Named], max_alerts: int) -> Content:
    """The content for alerts in this order, of which the first are kept."""
    kept: list[Named] = []
    room = ROOM
    for name, level in ordered[: max_alerts or None]:
        room -= (size := _size(level))
        if room < 0 and kept:
            break
        kept.append((name, level if size <= ROOM else _shrunk(level)))
    told = _columns(kept)
    return Content(told, len(ordered) - len(kept), shared(told.labels), shared(told.annotations))


def short(pairs: Mapping[str, str]) -> dict[str, str]:
    """Labels as they are, unless they would fill a message: then a part of them."""
    if _lengths([*pairs, *pairs.values()]) <= ROOM:
        return dict(pairs)
    return {name[:_WORD]: value[:_WORD] for name, value in sorted(pairs.items())[:_WORDS]}


def _columns(alerts: Sequence[Named]) -> ToldAlerts:
    """As they are told. What they are made of was checked when it came."""
    levels = [level for _, level in alerts]
    return ToldAlerts.model_construct(
        fingerprints=tuple([name for name, _ in alerts]),
        labels=tuple([level.packed for level in levels]),
        annotations=tuple([level.notes for level in levels]),
        firing=tuple([level.state is not AlertState.RESOLVED for level in levels]),
        starts_at=tuple(
            [level.active_at if level.starts_at is None else level.starts_at for level in levels]
        ),
        ends_at=tuple([level.ends_at for level in levels]),
        generator_urls=tuple([level.generator_url for level in levels]),
    )


def _shrunk(level: Level) -> Level:
    first = list(unpacked(level.packed).items())[:_WORDS]
    return level._replace(
        packed=packed({name[:_WORD]: value[:_WORD] for name, value in first}),
        notes=packed({"tocsin_truncated": "this alert is too large for a message"}),
        generator_url="",
    )


def _size(level: Level) -> int:
    """At most so many bytes as version 1 of a delivery has it."""
    labels, notes, url = level.packed, level.notes, level.generator_url
    marks = labels.count(END) + notes.count(END)
    return len(labels) + len(notes) + 2 * marks + len(url) * (1 if url.isascii() else 4) + 150


def _lengths(texts: list[str]) -> int:
    """At most so many bytes; all are looked at together, for as a rule they are ASCII."""
    whole = "".join(texts)
    if whole.isascii():
        return len(whole)
    return sum(len(text) if text.isascii() else len(text) * 4 for text in texts)
