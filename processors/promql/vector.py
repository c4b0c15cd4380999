"""The value of an expression at an instant, and the label work that is done once per series set."""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql import labels as label
from processors.promql.columns import Floats, Mask, Rows, SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.labels import Labels

SAME_LABELS = "vector cannot contain metrics with the same labelset"


def some(mask: Mask) -> bool:
    """Whether any is true; on few rows numpy's `any` takes four times as long."""
    return bool(np.count_nonzero(mask))


def every(mask: Mask) -> bool:
    """Whether all are true."""
    return bool(np.count_nonzero(mask) == mask.size)


# Not frozen, though nobody changes it: a plan makes tens, and frozen each takes a microsecond more.
@dataclass(slots=True, eq=False)
class Vector:
    """A value for every series that is present; the other rows mean nothing."""

    series: SeriesSet
    values: Floats
    present: Mask

    def items(self) -> list[tuple[Labels, float]]:
        """The present series and their values, in row order."""
        rows = np.flatnonzero(self.present)
        labels = self.series.labels
        values: list[float] = self.values[rows].tolist()
        return [(labels[row], value) for row, value in zip(rows.tolist(), values, strict=True)]

    def __len__(self) -> int:
        return int(np.count_nonzero(self.present))

    def unnamed(self) -> "Vector":
        """The same values without metric names."""
        return nameless(self.series, self.values, self.present)

    def checked(self) -> "Vector":
        """Itself, unless two present series have become indistinguishable."""
        ids = twins(self.series)
        if ids is not None and repeats(ids[self.present]):
            raise EvaluationFailed(SAME_LABELS)
        return self


Value: TypeAlias = Vector | float | str

EMPTY = SeriesSet(())


_NO_VALUES: Floats = np.empty(0)
_NOBODY: Mask = np.empty(0, dtype=np.bool_)


def nothing() -> Vector:
    """A vector without series."""
    return Vector(EMPTY, _NO_VALUES, _NOBODY)


def nameless(series: SeriesSet, values: Floats, present: Mask) -> Vector:
    """A vector of series less their metric names; raises EvaluationFailed where two meet."""
    return Vector(unnamed(series), values, present).checked()


def single(series: SeriesSet, value: float) -> Vector:
    """A vector of one series."""
    return Vector(series, np.array([value]), np.ones(1, dtype=np.bool_))


def repeats(ids: Rows) -> bool:
    """Whether an id occurs twice."""
    return ids.size > 1 and int(np.bincount(ids).max()) > 1


def numbered(keys: list[Labels]) -> tuple[Rows, list[Labels]]:
    """Numbers equal label sets alike, in order of first appearance."""
    seen: dict[Labels, int] = {}
    ids = np.fromiter((seen.setdefault(key, len(seen)) for key in keys), np.intp, len(keys))
    return ids, list(seen)


T = TypeVar("T")


class Pairwise(Generic[T]):
    """What is known of pairs of sets; forgotten with either."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[SeriesSet, WeakKeyDictionary[SeriesSet, T]] = (
            WeakKeyDictionary()
        )

    def get(self, left: SeriesSet, right: SeriesSet) -> T | None:
        """What is known, if anything."""
        inner = self._known.get(left)
        return None if inner is None else inner.get(right)

    def put(self, left: SeriesSet, right: SeriesSet, found: T) -> T:
        """Remembers it."""
        self._known.setdefault(left, WeakKeyDictionary())[right] = found
        return found


_unnamed: WeakKeyDictionary[SeriesSet, SeriesSet] = WeakKeyDictionary()
_twins: WeakKeyDictionary[SeriesSet, Rows | None] = WeakKeyDictionary()


def unnamed(series: SeriesSet) -> SeriesSet:
    """The set without metric names: the same object for the same set, whichever rule asks."""
    known = _unnamed.get(series)
    if known is None:
        known = SeriesSet(tuple(label.unnamed(each) for each in series.labels))
        _unnamed[series] = known
    return known


def twins(series: SeriesSet) -> Rows | None:
    """Ids that are equal where labels are, or None where all labels differ."""
    try:
        return _twins[series]
    except KeyError:
        ids, distinct = numbered(list(series.labels))
        _twins[series] = known = ids if len(distinct) < len(series) else None
        return known
