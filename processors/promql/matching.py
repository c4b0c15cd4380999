"""Which series of two vectors belong together: worked out once per pair of sets."""

from dataclasses import dataclass

import numpy as np

from processors.promql import labels as label
from processors.promql.columns import Mask, Rows, SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import METADATA, METRIC_NAME, Labels
from processors.promql.tree import Cardinality, Matching
from processors.promql.vector import Pairwise, Vector, every, numbered, repeats

MANY_TO_ONE = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
)
AMBIGUOUS = "multiple matches for labels: grouping labels must ensure unique matches"


def signature(labels: Labels, matching: Matching) -> Labels:
    """The labels that two series must share to match."""
    if matching.on:
        return label.only(labels, matching.labels)
    return label.without(labels, {METRIC_NAME, *matching.labels})


def joined(many: Labels, one: Labels, matching: Matching, drops_name: bool) -> Labels:
    """The labels of what an operator makes of two series."""
    if drops_name:
        many = label.without(many, METADATA)
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        if matching.on:
            return label.only(many, matching.labels)
        return label.without(many, matching.labels)
    if not matching.include:
        return many
    taken = ((name, label.get(one, name)) for name in matching.include)
    return label.of((*label.without(many, matching.include), *taken))


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """Equal numbers where signatures are equal, over both sides."""

    left: Rows
    right: Rows
    count: int
    right_row: Rows | None  # for each left row its only right row, or -1; None where it varies
    left_unique: bool
    complete: bool  # every left row has its right row


def signatures(left: SeriesSet, right: SeriesSet, matching: Matching) -> Signatures:
    """Numbers the signatures of two sets."""
    keys = [signature(each, matching) for side in (left, right) for each in side.labels]
    ids, distinct = numbered(keys)
    ours, theirs = ids[: len(left)], ids[len(left) :]
    right_row = None if repeats(theirs) else _rows(theirs, len(distinct))[ours]
    complete = right_row is not None and bool((right_row >= 0).all())
    return Signatures(ours, theirs, len(distinct), right_row, not repeats(ours), complete)


def _rows(ids: Rows, count: int) -> Rows:
    table = np.full(count, -1, dtype=np.intp)
    table[ids] = np.arange(len(ids))
    return table


class Pairs:
    """Signatures of the pairs of sets that one operator has met; forgotten with the sets."""

    def __init__(self, matching: Matching) -> None:
        self.matching = matching
        self._known: Pairwise[Signatures] = Pairwise()

    def between(self, left: SeriesSet, right: SeriesSet) -> Signatures:
        """The signatures of two sets."""
        known = self._known.get(left, right)
        if known is None:
            known = self._known.put(left, right, signatures(left, right, self.matching))
        return known


def partners(many: Vector, one: Vector, pairs: Pairs) -> tuple[Rows, Mask, Signatures]:
    """For each row of `many` its row in `one`, and whether both are present."""
    found = pairs.between(many.series, one.series)
    if found.right_row is not None:
        row = found.right_row
        there = many.present if every(one.present) else many.present & one.present[row]
        return row, there if found.complete else there & (row >= 0), found
    rows = np.flatnonzero(one.present)
    ids = found.right[rows]
    if repeats(ids):
        raise EvaluationFailed(_many_to_many(one.series, rows, ids, pairs.matching))
    table = np.full(found.count, -1, dtype=np.intp)
    table[ids] = rows
    row = table[found.left]
    matched: Mask = many.present & (row >= 0)
    return row, matched, found


def _many_to_many(series: SeriesSet, rows: Rows, ids: Rows, matching: Matching) -> str:
    seen: dict[int, int] = {}
    for row, number in zip(rows.tolist(), ids.tolist(), strict=True):
        if number in seen:
            first, second = sorted(label.text(series.labels[each]) for each in (seen[number], row))
            break
        seen[number] = row
    side = "left" if matching.cardinality is Cardinality.ONE_TO_MANY else "right"
    group = label.text(signature(series.labels[row], matching))
    return (
        f"found duplicate series for the match group {group} on the {side} hand-side of the "
        f"operation: [{first}, {second}];many-to-many matching not allowed: "
        "matching labels must be unique on one side"
    )
