"""`label_replace` and `label_join`: other labels for the same values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from weakref import WeakKeyDictionary

from processors.promql import labels as label
from processors.promql.columns import SeriesSet
from processors.promql.errors import Refused
from processors.promql.labels import Labels
from processors.promql.nodes import Moment, Node, vector
from processors.promql.regex import Rewriting
from processors.promql.tree import Kind
from processors.promql.vector import Vector

Rewrite: TypeAlias = Callable[[Labels], Labels]


@dataclass(frozen=True, slots=True, eq=False)
class Relabelled:
    """A vector whose labels are rewritten, once per set of series."""

    rewrite: Rewrite
    inner: Node
    known: WeakKeyDictionary[SeriesSet, SeriesSet] = field(default_factory=WeakKeyDictionary)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        inner = vector(self.inner, moment)
        series = self.known.get(inner.series)
        if series is None:
            series = SeriesSet(tuple(self.rewrite(each) for each in inner.series.labels))
            self.known[inner.series] = series
        return Vector(series, inner.values, inner.present).checked()


def replacing(target: str, replacement: str, source: str, pattern: str) -> Rewrite:
    """`label_replace`; raises Refused."""
    if not target:
        raise Refused("invalid destination label name in label_replace(): ")
    rewriting = Rewriting(pattern, replacement)

    def rewrite(labels: Labels) -> Labels:
        value = rewriting.rewritten(label.get(labels, source))
        return labels if value is None else label.with_(labels, target, value)

    return rewrite


def joining(target: str, separator: str, sources: tuple[str, ...]) -> Rewrite:
    """`label_join`; raises Refused."""
    if not all(sources):
        raise Refused("invalid source label name in label_join(): ")
    if not target:
        raise Refused("invalid destination label name in label_join(): ")

    def rewrite(labels: Labels) -> Labels:
        value = separator.join(label.get(labels, source) for source in sources)
        return label.with_(labels, target, value)

    return rewrite
