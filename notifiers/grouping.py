"""Groups of alerts: their labels, their key and the order of alerts in a message."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter

from schemas.alerts import AlertLevel
from schemas.templates.quoting import quoted


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


def in_order(levels: Iterable[AlertLevel]) -> list[AlertLevel]:
    """By job, instance, then all labels (Alertmanager's `AlertSlice.Less`)."""
    placed = sorted([(_place(level), level) for level in levels], key=itemgetter(0))
    if len({place for place, _ in placed}) == len(placed):
        return [level for _, level in placed]
    # Only among those at one place do the other labels matter, which cost more to compare.
    at_one = groupby(placed, key=itemgetter(0))
    return [
        level for _, some in at_one for level in sorted((one for _, one in some), key=_all_labels)
    ]


def _place(level: AlertLevel) -> tuple[bool, str, bool, str]:
    labels = level.labels
    job, instance = labels.get("job"), labels.get("instance")
    return (job is None, job or "", instance is None, instance or "")


def _all_labels(level: AlertLevel) -> tuple[int, list[tuple[str, str]]]:
    return len(level.labels), sorted(level.labels.items())


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
