"""Subqueries in one pass: what is row by row in an expression, over all steps at once.

A sweep answers with a grid, or with nothing where an expression has to be taken step by step. Its
answers are those of the steps, to the bit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from processors.promql.aggregation import Aggregated
from processors.promql.binary import Vectors, WithScalar
from processors.promql.columns import Columns, Floats, Mask, Rows, SeriesSet, Times
from processors.promql.errors import EvaluationFailed
from processors.promql.grouping import Groups
from processors.promql.kernels.registry import RANGES
from processors.promql.nodes import (
    Clamp,
    Constant,
    Instant,
    Moment,
    Negated,
    Node,
    Pointwise,
    Ranged,
    Selected,
)
from processors.promql.operators import ARITHMETIC, COMPARISONS
from processors.promql.tree import Cardinality, Kind
from processors.promql.vector import EMPTY, Vector, twins, unnamed
from processors.promql.window import Window, stale, window_of

_CELLS = 1_000_000
"""Samples of windows that are spread out at a time, 16 bytes each."""
_FEW = {"instant": 1_500, "range": 100}
"""Series beyond which steps one by one are faster: numpy's calls then cost less than the copies."""
MOST_SAMPLES = 50_000_000
"""Values of one subquery: Prometheus's default `--query.max-samples`."""
_ABSOLUTE = frozenset(id(RANGES[name]) for name in RANGES if name.startswith("ts_of_"))
"""Kernels whose answer is a time: windows are swept in times relative to their steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A row a series, a column a step."""

    series: SeriesSet
    values: Floats
    present: Mask

    def unnamed(self) -> "Grid | None":
        """Without metric names; nothing where series may then meet."""
        series = unnamed(self.series)
        return None if twins(series) is not None else Grid(series, self.values, self.present)


def sweep(node: Node, moment: Moment, times: Times) -> Grid | None:
    """The values of an expression at all times."""
    match node:
        case Instant(reference=reference, timed=False) if reference.at is None:
            return _newest(node, moment, times)
        case Ranged(range=Selected()):
            return _ranged(node, moment, times)
        case Pointwise(apply=apply, inner=inner, scalars=scalars):
            numbers = _constants(scalars)
            return None if numbers is None else _mapped(inner, apply, numbers, moment, times)
        case Clamp(inner=Pointwise(apply=apply, inner=inner, scalars=scalars)):
            numbers = _constants(scalars)
            if numbers is None or numbers[1] < numbers[0]:
                return None
            return _mapped(inner, apply, numbers, moment, times)
        case Negated(inner=inner) if node.kind is Kind.VECTOR:
            return _mapped(inner, np.negative, [], moment, times)
        case WithScalar(scalar=Constant()):
            return _with_scalar(node, moment, times)
        case Vectors():
            return _vectors(node, moment, times)
        case Aggregated():
            return _aggregated(node, moment, times)
    return None


def bounded(samples: int) -> None:
    """Raises EvaluationFailed where a subquery is too large to hold."""
    if samples > MOST_SAMPLES:
        raise EvaluationFailed(
            "query processing would load too many samples into memory in query execution: "
            f"a subquery of {samples}, more than {MOST_SAMPLES}"
        )


def _constants(nodes: tuple[Node, ...]) -> list[float] | None:
    numbers = [node.value for node in nodes if isinstance(node, Constant)]
    found = [number for number in numbers if isinstance(number, float)]
    return found if len(found) == len(nodes) else None


def _newest(node: Instant, moment: Moment, times: Times) -> Grid | None:
    ends = times - node.reference.offset
    first, last = int(ends[0]), int(ends[-1])
    columns = moment.source.select(node.selector, first - moment.lookback, last)
    if len(columns.series) > _FEW["instant"]:
        return None
    bounded(len(columns.series) * len(times))
    at = positions(columns, ends) - 1
    if not columns.times.shape[1]:
        return Grid(columns.series, np.zeros(at.shape), np.zeros(at.shape, dtype=np.bool_))
    rows = np.arange(len(at))[:, None]
    held = np.maximum(at, 0)
    values = columns.values[rows, held]
    present = (at >= 0) & (columns.times[rows, held] > ends - moment.lookback)
    if np.isnan(values).any():
        present &= ~stale(values)
    return Grid(columns.series, values, present)


def positions(columns: Columns, at: Times) -> Rows:
    """How many samples of each row are not after each of some ascending times."""
    times, counts = columns.times, columns.counts
    size, width = times.shape
    if not size or not width:
        return np.zeros((size, len(at)), dtype=np.intp)
    low, high = int(at[0]), int(at[-1])
    # One search for all rows: each row's times are moved into a range of its own.
    span = high - low + 3
    shifted = np.clip(times, low - 1, high + 1) - (low - 1)
    shifted[np.arange(width) >= counts[:, None]] = span - 1
    row = np.arange(size)[:, None]
    wanted = at - (low - 1) + row * span
    found: Rows = np.searchsorted((shifted + row * span).ravel(), wanted.ravel(), side="right")
    taken: Rows = found.reshape(wanted.shape) - row * width
    return taken


def _ranged(node: Ranged, moment: Moment, times: Times) -> Grid | None:
    selected, numbers = node.range, _constants(node.scalars)
    assert isinstance(selected, Selected)
    reference, span = selected.reference, selected.window
    if reference.at is not None or numbers is None or id(node.kernel) in _ABSOLUTE:
        return None
    ends = times - reference.offset
    columns = moment.source.select(selected.selector, int(ends[0]) - span, int(ends[-1]))
    series = columns.series if node.kernel.keeps_name else unnamed(columns.series)
    if series is not columns.series and twins(series) is not None:
        return None
    if len(columns.series) > _FEW["range"]:
        return None
    bounded(len(columns.series) * len(times))
    last, first = positions(columns, ends), positions(columns, ends - span)
    values = np.zeros(last.shape)
    present = np.zeros(last.shape, dtype=np.bool_)
    bounds = (-reference.offset - span, -reference.offset)
    step = max(1, _CELLS // max(1, last.size // len(times) * int((last - first).max(initial=0))))
    for start in range(0, len(times), step):
        part = slice(start, start + step)
        if not (last[:, part] > first[:, part]).any():
            continue
        window = _windows(columns, times[part], (first[:, part], last[:, part]), bounds)
        counts = window.counts.reshape(len(last), -1)
        present[:, part] = counts >= node.kernel.least
        values[:, part] = node.kernel.apply(window, *numbers).reshape(counts.shape)
    return Grid(series, values, present)


def _windows(
    columns: Columns, steps: Times, cuts: tuple[Rows, Rows], bounds: tuple[int, int]
) -> Window:
    """The windows of all steps, one below the other, in times relative to their step."""
    first, last = cuts
    counts = (last - first).ravel()
    width = int(counts.max(initial=0))
    places = first[:, :, None] + np.arange(width)
    places = np.minimum(places, columns.times.shape[1] - 1)
    row = np.arange(len(first))[:, None, None]
    times = (columns.times[row, places] - steps[None, :, None]).reshape(-1, width)
    values = columns.values[row, places].reshape(-1, width)
    return window_of(0, bounds, times, values, counts)


def _mapped(
    inner: Node, apply: Callable[..., Floats], numbers: list[float], moment: Moment, times: Times
) -> Grid | None:
    grid = sweep(inner, moment, times)
    if grid is None:
        return None
    flat = np.asarray(apply(np.ascontiguousarray(grid.values).ravel(), *numbers))
    return Grid(grid.series, flat.reshape(grid.values.shape), grid.present).unnamed()


def _with_scalar(node: WithScalar, moment: Moment, times: Times) -> Grid | None:
    grid = sweep(node.vector, moment, times)
    assert isinstance(node.scalar, Constant)
    if grid is None or isinstance(node.scalar.value, str):
        return None
    number = node.scalar.value
    apply = ARITHMETIC.get(node.op) or COMPARISONS[node.op]
    found = apply(number, grid.values) if node.swapped else apply(grid.values, number)
    if node.op in ARITHMETIC:
        return Grid(grid.series, found, grid.present).unnamed()
    if node.returns_bool:
        return Grid(grid.series, found.astype(np.float64), grid.present).unnamed()
    return Grid(grid.series, grid.values, grid.present & found)


def _vectors(node: Vectors, moment: Moment, times: Times) -> Grid | None:
    if node.matching.cardinality is not Cardinality.ONE_TO_ONE:
        return None
    left = sweep(node.left, moment, times)
    right = None if left is None else sweep(node.right, moment, times)
    if left is None or right is None or not len(left.series) or not len(right.series):
        return None
    found = node.pairs.between(left.series, right.series)
    if found.right_row is None or not found.left_unique:
        return None
    row = found.right_row
    series = node.series(left.series, right.series, row)
    if twins(series) is not None:
        return None
    matched = left.present & (row >= 0)[:, None] & right.present[row]
    values, kept = node.values(left.values, right.values[row], matched)
    return Grid(series, values, kept)


def _aggregated(node: Aggregated, moment: Moment, times: Times) -> Grid | None:
    number = 0.0
    if node.param is not None:
        numbers = _constants((node.param,))
        if numbers is None:
            return None
        number = numbers[0]
    grid = sweep(node.inner, moment, times)
    if grid is None:
        return None
    groups = node.grouping.of(grid.series)
    steps, size = len(times), len(groups.series)
    if not size:
        return Grid(EMPTY, np.zeros((0, steps)), np.zeros((0, steps), dtype=np.bool_))
    tall = Vector(grid.series, grid.values.T.ravel(), grid.present.T.ravel())
    members = _repeated(groups, steps).members(tall)
    values = np.zeros(steps * size)
    if members.rows.size:
        values[members.groups] = node.apply(members, number)
    present = members.groups
    return Grid(groups.series, values.reshape(steps, size).T, present.reshape(steps, size).T)


def _repeated(groups: Groups, times: int) -> Groups:
    """The groups of every step, one step after the other."""
    step = np.arange(times)[:, None]
    order = (groups.order + step * len(groups.order)).ravel()
    ids = (groups.ids + step * len(groups.series)).ravel()
    sizes = np.tile(groups.sizes, times)
    return Groups(groups.series, order, ids, sizes, np.cumsum(sizes) - sizes)
