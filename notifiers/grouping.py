"""Groups of alerts: their labels, their key and the order of alerts in a message."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from notifiers.level import Level
from schemas.pairs import END, finder, unpacked
from schemas.templates.quoting import quoted

Named = tuple[str, Level]
"""An alert by its fingerprint."""
_job, _instance = finder("job"), finder("instance")
_every_pair = re.compile(rb"[^\xff]*+\xff[^\xff]*+\xff").findall


def group_labels(
    labels: Mapping[str, str], group_by: frozenset[str], by_all: bool
) -> tuple[tuple[str, str], ...]:
    """The labels that alerts of one group share, by name; a missing label stays missing."""
    return tuple(sorted(pair for pair in labels.items() if by_all or pair[0] in group_by))


def group_key(route_key: str, labels: Iterable[tuple[str, str]]) -> str:
    """Alertmanager's groupKey: the route's key, a colon, and the group's labels as Go writes them.

    Source: `dispatch.aggrGroup.GroupKey` and prometheus/common `LabelSet.String`.
    """
    return f"{route_key}:{{{', '.join(f'{name}={quoted(value)}' for name, value in labels)}}}"


def in_order(alerts: Iterable[Named]) -> list[Named]:
    """By job, instance, then all labels (Alertmanager's `AlertSlice.Less`)."""
    placed = sorted([(_place(alert[1].packed), alert) for alert in alerts], key=itemgetter(0))
    if len({place for place, _ in placed}) == len(placed):
        return [alert for _, alert in placed]
    # Only among those at one place do the other labels matter, which cost more to compare.
    at_one = groupby(placed, key=itemgetter(0))
    return [
        alert for _, some in at_one for alert in sorted((one for _, one in some), key=_all_labels)
    ]


def _place(labels: bytes) -> tuple[bool, bytes, bool, bytes]:
    """UTF-8 is in the order of its characters."""
    job, instance = _job(labels), _instance(labels)
    return (
        *(job is None, b"" if job is None else job[1]),
        *(instance is None, b"" if instance is None else instance[1]),
    )


def _all_labels(alert: Named) -> tuple[int, list[bytes]]:
    words = alert[1].packed.split(END)
    return len(words), words


def shared(sets: Sequence[bytes]) -> dict[str, str]:
    """The pairs that all of these have, which are packed."""
    if len(sets) < 2:
        return unpacked(sets[0]) if sets else {}
    found = set(_every_pair(sets[0]))
    for one in sets:
        found.intersection_update(_every_pair(one))
        if not found:
            break
    return dict(sorted(unpacked(b"".join(found)).items()))


def common(maps: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The pairs that all of them have."""
    each = iter(maps)
    first, second = next(each, {}), next(each, None)
    if second is None:
        return dict(sorted(first.items()))
    shared = first.items() & second.items()
    for one in each:
        shared &= one.items()
        if not shared:
            break
    return dict(sorted(shared))
