"""From steps to batches: for one source, and the series that it has now."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from processors.promql.columns import Rows, SeriesSet
from processors.promql.errors import EvaluationFailed
from processors.promql.fusion.assembly import Key, Placed, batch, joined, key, rows_of
from processors.promql.fusion.batches import Batch, Registers, Twins
from processors.promql.fusion.layout import Laid, is_scalar, laid, read
from processors.promql.fusion.leaves import Numbered
from processors.promql.fusion.operations import AsVector, Literal, Newest, Over
from processors.promql.fusion.steps import Program, Step
from processors.promql.nodes import Moment
from processors.promql.tree import Kind
from processors.promql.vector import EMPTY, Vector, twins


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A program laid out in registers."""

    generation: object
    stages: tuple[Batch | Twins, ...]
    registers: Registers
    steps: tuple[Placed, ...]


class Linker:
    """Lays a program out; what a step comes to is kept while its inputs are the same."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[int, tuple[tuple[SeriesSet | None, ...], Laid]] = {}

    def link(self, source: Numbered, moment: Moment) -> Link:
        """For the series of a source as they are at the moment."""
        generation = source.generation
        rows: list[Laid] = []
        numbers: list[Rows | None] = []
        for number, step in enumerate(self._program.steps):
            found, located = self._laid(number, step, rows, source, moment)
            rows.append(found)
            numbers.append(located)
        placed, keys = self._placed(rows, numbers)
        stages: list[Batch | Twins] = []
        for together in keys:
            steps = [placed[number] for number in together]
            stages.append(batch(steps, source))
            checked = [each for each in steps if each.rows.checked]
            if checked:
                stages.append(_twins(checked))
        return Link(generation, tuple(stages), self._registers(placed, moment), tuple(placed))

    def _laid(
        self, number: int, step: Step, rows: list[Laid], source: Numbered, moment: Moment
    ) -> tuple[Laid, Rows | None]:
        operation = step.operation
        if isinstance(operation, Newest | Over):
            located = source.locate(operation.selector)
            inputs: tuple[SeriesSet | None, ...] = (located.series,)
            return self._kept(number, inputs, lambda: read(step, located.series)), located.numbers
        inputs = tuple(rows[each].series for each in step.inputs)
        found = self._kept(number, inputs, lambda: laid(step, inputs))
        if found.alone:
            found = Laid(_series_of(step, moment), alone=True)
        return found, None

    def _kept(
        self, number: int, inputs: tuple[SeriesSet | None, ...], make: Callable[[], Laid]
    ) -> Laid:
        known = self._known.get(number)
        if known is not None and all(a is b for a, b in zip(known[0], inputs, strict=True)):
            return known[1]
        made = make()
        self._known[number] = (inputs, made)
        return made

    def _placed(
        self, rows: list[Laid], numbers: list[Rows | None]
    ) -> tuple[list[Placed], list[list[int]]]:
        """Every step with its registers, and the steps of each batch in order of running."""
        steps = self._program.steps
        levels: list[int] = []
        together: dict[tuple[int, Key], list[int]] = {}
        for number, step in enumerate(steps):
            level = max((levels[each] + 1 for each in step.inputs), default=0)
            if isinstance(step.operation, AsVector):
                level -= 1
            elif not isinstance(step.operation, Literal):
                together.setdefault((level, key(step, rows[number])), []).append(number)
            levels.append(level)
        order = sorted(together, key=lambda each: each[0])
        starts = [0] * len(steps)
        free = 1
        literals = [n for n, step in enumerate(steps) if isinstance(step.operation, Literal)]
        for number in (*literals, *(each for k in order for each in together[k])):
            starts[number] = free
            free += rows[number].size
        placed: list[Placed] = []
        for number, step in enumerate(steps):
            if isinstance(step.operation, AsVector):
                starts[number] = starts[step.inputs[0]]
            inputs = tuple(placed[each].registers for each in step.inputs)
            placed.append(
                Placed(number, step, rows[number], starts[number], inputs, numbers[number])
            )
        return placed, [together[each] for each in order]

    def _registers(self, placed: list[Placed], moment: Moment) -> Registers:
        size = max((each.registers.stop for each in placed), default=1)
        values, present = np.zeros(size), np.zeros(size, dtype=np.bool_)
        for each in placed:
            if each.step.kind is Kind.SCALAR or is_scalar(each.step):
                present[each.start] = True
            if isinstance(each.step.operation, Literal):
                values[each.start] = each.step.operation.value
        return Registers(moment, values, present, set(), set())


def _series_of(step: Step, moment: Moment) -> SeriesSet | None:
    """Of a step that runs alone: the series that it has now."""
    if step.kind is not Kind.VECTOR:
        return None
    try:
        value = step.node.run(Moment(moment.source, moment.at, step.lookback, moment.bounds))
    except EvaluationFailed:
        return EMPTY
    assert isinstance(value, Vector)
    return value.series


def _twins(steps: list[Placed]) -> Twins:
    rows, ids, owners, free = [], [], [], 0
    for each in steps:
        found = twins(each.rows.series or EMPTY)
        if found is not None:
            rows.append(rows_of(each.registers))
            ids.append(found + free)
            owners.append(np.full(len(found), each.number))
            free += int(found.max()) + 1
    return Twins(joined(rows), joined(ids), joined(owners))
