"""Nodes of a plan that read partials in place of raw samples."""

from dataclasses import dataclass

import numpy as np

from processors.partials.answers import Answer
from processors.partials.fields import Field
from processors.partials.store import Bounds, LongUse, Partials
from processors.promql.columns import Source
from processors.promql.errors import EvaluationFailed
from processors.promql.kernels.registry import RangeKernel
from processors.promql.nodes import Moment, Node, Reference, scalar
from processors.promql.tree import Kind
from processors.promql.vector import Vector, unnamed
from processors.promql.window import stale


def _partials(source: Source) -> Partials:
    found = getattr(source, "partials", None)
    if not isinstance(found, Partials):
        raise EvaluationFailed("a range beyond two hours where no partials are kept")
    return found


@dataclass(frozen=True, slots=True)
class LongRanged:
    """A function over a range selector, from cells; `whole` as in `Bounds`."""

    kernel: RangeKernel
    answer: Answer
    use: LongUse
    window: int
    reference: Reference
    whole: bool
    scalars: tuple[Node, ...] = ()
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        """The value at the moment."""
        end = self.reference.of(moment)
        bounds = Bounds(end - self.window, end, moment.at, self.whole)
        use, source = self.use, moment.source
        series, span = _partials(source).read(
            source, use.selector, use.resolution, self.answer.fields, bounds
        )
        scalars = [scalar(node, moment) for node in self.scalars]
        present = span.cells[Field.COUNT] >= self.kernel.least
        result = Vector(series, self.answer.apply(span, *scalars), present)
        return result if self.kernel.keeps_name else result.unnamed()


@dataclass(frozen=True, slots=True)
class LongInstant:
    """An instant selector far back: the newest sample at the last whole cell's end."""

    use: LongUse
    reference: Reference
    timed: bool = False
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        """The value at the moment."""
        use, source = self.use, moment.source
        end = self.reference.of(moment) // use.resolution * use.resolution
        start = end - moment.lookback
        series, span = _partials(source).read(
            source, use.selector, use.resolution, use.fields, Bounds(start, end, moment.at, True)
        )
        times, values = span.time(Field.NEWEST_AT), span[Field.NEWEST]
        present = (span.cells[Field.NEWEST_AT] > 0) & (times > start) & ~stale(values)
        if self.timed:
            return Vector(unnamed(series), np.asarray(times / 1000), present).checked()
        return Vector(series, values, present)
