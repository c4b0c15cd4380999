"""`info`: labels of info series, such as `target_info`, put on the series of the same target.

Prometheus 3.15, `promql/info.go` (experimental there); `instance` and `job` identify a target.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from processors.promql import labels as label
from processors.promql.columns import Rows, SeriesSet, Times
from processors.promql.errors import EvaluationFailed, Refused
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.nodes import Moment, Node, Reference, vector
from processors.promql.selector import Match, Matcher, Selector
from processors.promql.tree import At, Call, Expression, Kind, Paren, Select, Subquery, children
from processors.promql.vector import Pairwise, Vector
from processors.promql.window import newest

IDENTIFYING = ("instance", "job")
_TARGET_INFO = Matcher(METRIC_NAME, Match.EQUAL, "target_info")
_ANY_INFO = Matcher(METRIC_NAME, Match.REGEX, ".+_info")


def metadata(call: Call) -> Select:
    """The selector of the info series that a call reads; raises Refused."""
    names, data = matchers(call)
    offset, at = _shared_reference(call.args[0])
    return Select(Selector((*names, *data)), offset, None, at)


def matchers(call: Call) -> tuple[tuple[Matcher, ...], tuple[Matcher, ...]]:
    """Which metrics are info series, and what is asked of their labels; raises Refused."""
    given: tuple[Matcher, ...] = ()
    if len(call.args) > 1:
        selected = call.args[1]
        if not isinstance(selected, Select) or selected.window or selected.offset or selected.at:
            raise Refused("info: expected label selectors only")
        given = selected.selector.matchers
    names = tuple(each for each in given if each.name == METRIC_NAME)
    data = tuple(each for each in given if each.name != METRIC_NAME)
    if not any(each.op in {Match.EQUAL, Match.REGEX} for each in names):
        names = (_ANY_INFO, *names) if names else (_TARGET_INFO,)
    return names, data


def _shared_reference(tree: Expression) -> tuple[int, At]:
    """The offset and `@` that all selectors of an expression share, else none."""
    found = list(_references(tree, 0))
    if not found or None in found or len({each for each in found if each is not None}) > 1:
        return 0, None
    return found[0] or (0, None)


def _references(tree: Expression, shifted: int) -> Iterator[tuple[int, At] | None]:
    """The reference of each path that has series; None where a path has no selector."""
    if isinstance(tree, Select):
        yield tree.offset + (shifted if tree.at is None else 0), tree.at
        return
    if isinstance(tree, Paren):
        yield from _references(tree.inner, shifted)
        return
    if isinstance(tree, Subquery):
        inner = list(_references(tree.inner, 0))
        for each in inner:
            anchored = each is not None and each[1] is not None
            yield each if each is None or anchored else (each[0] + tree.offset + shifted, tree.at)
        return
    if isinstance(tree, Call) and tree.name == "info":
        yield from _references(tree.args[0], shifted)
        return
    paths = [list(_references(child, shifted)) for child in children(tree) if _has_series(child)]
    if not any(paths):
        yield None
    for path in paths:
        yield from path


def _has_series(tree: Expression) -> bool:
    """Whether an expression is a vector: literals and scalar functions are not."""
    if isinstance(tree, Call) and tree.name in {"scalar", "time", "pi", "max_of", "min_of"}:
        return False
    if isinstance(tree, Select | Subquery) or (isinstance(tree, Call) and tree.name == "vector"):
        return True
    return any(_has_series(child) for child in children(tree))


@dataclass(slots=True)
class _Joined:
    """What base and info series made together when it was last worked out."""

    chosen: bytes
    series: SeriesSet
    kept: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Info:
    """A vector with the data labels of the info series that belong to its targets."""

    inner: Node
    selector: Selector
    reference: Reference
    names: tuple[Matcher, ...]
    data: tuple[Matcher, ...]
    known: Pairwise[_Joined] = field(default_factory=Pairwise)
    kind: Kind = Kind.VECTOR

    def run(self, moment: Moment) -> Vector:
        base = vector(self.inner, moment)
        end = self.reference.of(moment)
        start = end - moment.lookback
        columns = moment.source.select(self.selector, start, end)
        times, _, present = newest(columns, start, end)
        rows = np.flatnonzero(present)
        chosen = _newest_of_each(columns.series, rows, times, self._targets(base))
        # Which info series are there changes rarely; what they say of a target, never.
        mark = chosen.tobytes()
        joined = self.known.get(base.series, columns.series)
        if joined is None or joined.chosen != mark:
            made = self._joined(base.series, columns.series, chosen, mark)
            joined = self.known.put(base.series, columns.series, made)
        kept = np.zeros(len(base.present), dtype=np.bool_)
        kept[joined.kept] = True
        return Vector(joined.series, base.values, base.present & kept).checked()

    def _ignored(self, labels: Labels) -> bool:
        name = label.get(labels, METRIC_NAME)
        return all(each.accepts(name) for each in self.names)

    def _targets(self, base: Vector) -> set[Labels]:
        found = (labels for labels, _ in base.items() if not self._ignored(labels))
        return {target for labels in found if (target := label.only(labels, IDENTIFYING))}

    def _joined(self, base: SeriesSet, info: SeriesSet, chosen: Rows, mark: bytes) -> _Joined:
        by_target: dict[Labels, list[Labels]] = {}
        for row in chosen.tolist():
            labels = info.labels[row]
            by_target.setdefault(label.only(labels, IDENTIFYING), []).append(labels)
        found = [self._enriched(each, by_target) for each in base.labels]
        kept = [row for row, each in enumerate(found) if each is not None]
        series = SeriesSet(tuple(() if each is None else each for each in found))
        return _Joined(mark, series, np.array(kept, dtype=np.intp))

    def _enriched(self, base: Labels, by_target: Mapping[Labels, list[Labels]]) -> Labels | None:
        """The labels with those of the target's info series; None where one had to be there."""
        if self._ignored(base):
            return base
        infos = by_target.get(label.only(base, IDENTIFYING), [])
        if not infos and not all(each.accepts("") for each in self.data):
            return None
        wanted = {each.name for each in self.data}
        own = {name for name, _ in base}
        taken: dict[str, str] = {}
        for info in infos:
            for name, value in info:
                if name == METRIC_NAME or (wanted and name not in wanted):
                    continue
                if taken.get(name, value) != value:
                    raise EvaluationFailed(f"conflicting label: {name}")
                if name not in own:
                    taken[name] = value
        return label.of((*base, *taken.items()))


def _newest_of_each(info: SeriesSet, rows: Rows, times: Times, targets: set[Labels]) -> Rows:
    """For each metric and target the info series whose sample is the newest."""
    best: dict[tuple[str, Labels], int] = {}
    for row in rows.tolist():
        labels = info.labels[row]
        key = (label.get(labels, METRIC_NAME), label.only(labels, IDENTIFYING))
        if key[1] not in targets:
            continue
        other = best.setdefault(key, row)
        if other != row and times[other] == times[row]:
            at = int(times[row])
            raise EvaluationFailed(
                f"found duplicate series for info metric: existing {label.text(info.labels[other])}"
                f" @ {at}, new {label.text(labels)} @ {at}"
            )
        if times[row] > times[other]:
            best[key] = row
    return np.array(sorted(best.values()), dtype=np.intp)
