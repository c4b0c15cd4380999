"""Many plans evaluated together, and the answer for each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from processors.promql.columns import Rows, SeriesSet
from processors.promql.fusion.assembly import joined, rows_of
from processors.promql.fusion.batches import Batch, Registers, Twins
from processors.promql.fusion.leaves import Numbered
from processors.promql.fusion.linking import Link, Linker
from processors.promql.fusion.steps import Program, program
from processors.promql.labels import Labels
from processors.promql.nodes import Moment
from processors.promql.plan import Plan
from processors.promql.tree import Kind

Samples = list[tuple[Labels, float]]
_NOTHING: Samples = []
_LARGE = 20_000
"""Registers from which on label work is kept for when a series joins."""
_MOVES = 8
"""How often a program is laid out anew because a step that runs alone has other series."""


class Answers:
    """What plans came to at an instant; whoever is not among them is to be evaluated alone."""

    def __init__(self, unknown: Iterable[Plan], found: dict[Plan, Samples]) -> None:
        self.unknown = frozenset(unknown)
        self.found = found
        """Of the plans that have a result."""

    def of(self, plan: Plan) -> Samples | None:
        """The result of a plan, or None where it must be evaluated alone."""
        return None if plan in self.unknown else self.found.get(plan, _NOTHING)


@dataclass(frozen=True, slots=True, eq=False)
class _Linked:
    """A link, with the registers of its plans' results, whose each is, and what it is called.

    Nothing else of the steps is kept: there may be such a link for every instance of a fleet.
    """

    generation: object
    stages: tuple[Batch | Twins, ...]
    registers: Registers
    rows: Rows
    owners: Rows
    starts: tuple[int, ...]
    series: tuple[SeriesSet | None, ...]


class Fusion:
    """Plans whose steps are computed together, over any source that numbers its series."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        given = dict.fromkeys(plans)
        self._plans = tuple(plan for plan in given if plan.kind is not Kind.STRING)
        self._others = tuple(plan for plan in given if plan.kind is Kind.STRING)
        self._program: Program = program(self._plans)
        self._links: WeakKeyDictionary[Numbered, _Linked] = WeakKeyDictionary()
        self._linkers: WeakKeyDictionary[Numbered, Linker] = WeakKeyDictionary()
        self._moved: Counter[int] = Counter()
        self._failed: tuple[frozenset[int], list[Plan]] = frozenset(), []

    def evaluate(self, source: Numbered, at: int) -> Answers:
        """The answers at an instant in milliseconds."""
        moment = Moment(source, at, 0, (at, at))
        with np.errstate(all="ignore"):
            linked = self._linked(source, moment)
            registers = linked.registers
            registers.moment = moment
            registers.failed.clear()
            registers.moved.clear()
            for stage in linked.stages:
                stage.run(registers)
        for step in registers.moved:
            self._moved[step] += 1
            if self._moved[step] <= _MOVES:
                self._links.pop(source, None)
        return self._answers(linked)

    def _linked(self, source: Numbered, moment: Moment) -> _Linked:
        known = self._links.get(source)
        if known is not None and known.generation == source.generation:
            return known
        linker = self._linkers.get(source) or Linker(self._program)
        link = linker.link(source, moment)
        if len(link.registers.values) >= _LARGE:
            self._linkers[source] = linker
        linked = self._links[source] = self._reduced(link)
        return linked

    def _reduced(self, link: Link) -> _Linked:
        roots = [link.steps[self._program.roots[plan]] for plan in self._plans]
        return _Linked(
            link.generation,
            link.stages,
            link.registers,
            joined(rows_of(each.registers) for each in roots),
            np.repeat(np.arange(len(roots)), [each.rows.size for each in roots]),
            tuple(each.start for each in roots),
            tuple(each.rows.series for each in roots),
        )

    def _answers(self, linked: _Linked) -> Answers:
        registers = linked.registers
        hits = np.flatnonzero(registers.present[linked.rows])
        found: dict[Plan, Samples] = {}
        if hits.size:
            rows, owners = linked.rows[hits], linked.owners[hits]
            values: list[float] = registers.values[rows].tolist()
            ends = (np.flatnonzero(owners[1:] != owners[:-1]) + 1).tolist()
            bounds = [0, *ends, len(owners)]
            for start, end in pairwise(bounds):
                owner = int(owners[start])
                series = linked.series[owner]
                labels = ((),) if series is None else series.labels
                places = (rows[start:end] - linked.starts[owner]).tolist()
                found[self._plans[owner]] = [
                    (labels[row], value)
                    for row, value in zip(places, values[start:end], strict=True)
                ]
        return Answers((*self._others, *self._failing(registers.failed)), found)

    def _failing(self, failed: set[int]) -> list[Plan]:
        """The plans that build on steps with an error."""
        if not failed:
            return []
        which = frozenset(failed)
        if which != self._failed[0]:
            self._failed = which, self._above(which)
        return self._failed[1]

    def _above(self, failed: frozenset[int]) -> list[Plan]:
        bad: set[int] = set()
        for number, step in enumerate(self._program.steps):
            if number in failed or not bad.isdisjoint(step.inputs):
                bad.add(number)
        return [plan for plan in self._plans if self._program.roots[plan] in bad]
