"""The columns that the engine reads: which series, and their samples as matrices."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from processors.promql.labels import Labels
from processors.promql.selector import Selector

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

# The one NaN by which Prometheus says "this series ended here".
STALE_BITS = 0x7FF0000000000002
STALE = float(np.array(STALE_BITS, dtype=np.uint64).view(np.float64))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SeriesSet:
    """The series of a vector, in row order.

    A source hands out the same object while the set is unchanged: label work is cached on it.
    """

    labels: tuple[Labels, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Samples of S series in rows of up to K; row i is valid in [:counts[i]], ascending in time."""

    series: SeriesSet
    times: Times
    values: Floats
    counts: Rows


class Source(Protocol):
    """Whoever has samples: the detector's windows, history, a unit test."""

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        """At least the samples in (start, end]; what lies outside is ignored."""
        ...
