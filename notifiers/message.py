"""What a delivery says: the alerts in order, what they share, cut to what a message can hold."""

from collections.abc import Mapping
from dataclasses import dataclass

import ormsgpack

from notifiers.grouping import common, in_order
from schemas.alerts import AlertLevel
from schemas.labels import derived_id

ROOM = 200_000
"""Bytes for alerts: labels may stand thrice in a delivery, and a message holds 1,000,000."""
_WORDS, _WORD = 64, 256


@dataclass(frozen=True, slots=True)
class Content:
    """The part of a delivery that is the same at every attempt."""

    alerts: tuple[AlertLevel, ...]
    truncated: int
    common_labels: dict[str, str]
    common_annotations: dict[str, str]

    def digest(self) -> str:
        """Says whether two contents are the same."""
        packed = ormsgpack.packb(self.alerts, option=ormsgpack.OPT_SERIALIZE_PYDANTIC)
        return derived_id(packed.hex(), self.truncated)


def content(levels: list[AlertLevel], max_alerts: int) -> Content:
    """The content for these alerts; what does not fit is counted in `truncated`."""
    return cut(in_order(levels), max_alerts)


def cut(ordered: list[AlertLevel], max_alerts: int) -> Content:
    """The content for alerts in this order, of which the first are kept."""
    kept: list[AlertLevel] = []
    room = ROOM
    for level in ordered[: max_alerts or None]:
        room -= (size := _size(level))
        if room < 0 and kept:
            break
        kept.append(level if size <= ROOM else _shrunk(level))
    return Content(
        tuple(kept),
        len(ordered) - len(kept),
        common(level.labels for level in kept),
        common(level.annotations for level in kept),
    )


def short(pairs: Mapping[str, str]) -> dict[str, str]:
    """Labels as they are, unless they would fill a message: then a part of them."""
    if _lengths([*pairs, *pairs.values()]) <= ROOM:
        return dict(pairs)
    return {name[:_WORD]: value[:_WORD] for name, value in sorted(pairs.items())[:_WORDS]}


def _shrunk(level: AlertLevel) -> AlertLevel:
    return level.model_copy(
        update={
            "labels": {k[:_WORD]: v[:_WORD] for k, v in sorted(level.labels.items())[:_WORDS]},
            "annotations": {"tocsin_truncated": "this alert is too large for a message"},
            "generator_url": "",
            "reason": level.reason[:_WORD],
        }
    )


def _size(level: AlertLevel) -> int:
    labels, notes = level.labels, level.annotations
    texts = [*labels, *labels.values(), *notes, *notes.values(), level.generator_url, level.reason]
    return _lengths(texts) + 6 * (len(labels) + len(notes)) + 150


def _lengths(texts: list[str]) -> int:
    """At most so many bytes; all are looked at together, for as a rule they are ASCII."""
    whole = "".join(texts)
    if whole.isascii():
        return len(whole)
    return sum(len(text) if text.isascii() else len(text) * 4 for text in texts)
