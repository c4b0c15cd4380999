"""The statements of a template: text, actions, conditions, loops, and templates within it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from schemas.templates.errors import Unexpandable
from schemas.templates.running import State
from schemas.templates.tree import Pipeline
from schemas.templates.values import Slice, Value, text, truth, type_name

DEEPEST = 50
"""Templates that call templates."""


class Break(Exception):
    """`break`."""


class Continue(Exception):
    """`continue`."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text as it is."""

    text: str

    def run(self, state: State, dot: Value) -> None:
        """Writes it."""
        state.write(self.text)


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is printed, unless it becomes a variable."""

    at: int
    pipeline: Pipeline

    def run(self, state: State, dot: Value) -> None:
        """Writes the value."""
        value = self.pipeline.evaluate(state, dot)
        if not self.pipeline.declares:
            state.write(state.shows(value))


@dataclass(frozen=True, slots=True)
class If:
    """`if` and `with`, which makes the value the dot."""

    at: int
    pipeline: Pipeline
    then: "Block"
    otherwise: "Block"
    moves_dot: bool

    def run(self, state: State, dot: Value) -> None:
        """Runs the one or the other."""
        mark = len(state.variables)
        value = self.pipeline.evaluate(state, dot)
        if truth(value):
            run(self.then, state, value if self.moves_dot else dot)
        else:
            run(self.otherwise, state, dot)
        del state.variables[mark:]


@dataclass(frozen=True, slots=True)
class Range:
    """`range`: the block for each element; `else` where there is none."""

    at: int
    pipeline: Pipeline
    each: "Block"
    otherwise: "Block"

    @property
    def text(self) -> str:
        """As Go writes it, in short."""
        return f"{{{{range {self.pipeline.text}}}}}"

    def run(self, state: State, dot: Value) -> None:
        """Runs the block for every element."""
        state.node = self
        outer = len(state.variables)
        inner = _bare(self.pipeline)
        value = inner.evaluate(state, dot)
        ran = False
        try:
            for index, element in elements(value, len(self.pipeline.declares)):
                ran = True
                state.step()
                mark = len(state.variables)
                self._bind(state, index, element)
                with suppress(Continue):
                    run(self.each, state, element)
                del state.variables[mark:]
        except Break:
            pass
        del state.variables[outer:]
        if not ran:
            run(self.otherwise, state, dot)

    def _bind(self, state: State, index: Value, element: Value) -> None:
        names = self.pipeline.declares
        values = (index, element) if len(names) == 2 else (element,)
        for name, value in zip(names, values, strict=False):
            if self.pipeline.assigns:
                state.assign(name, value)
            else:
                state.variables.append((name, value))


def _bare(pipeline: Pipeline) -> Pipeline:
    return Pipeline(pipeline.at, pipeline.commands) if pipeline.declares else pipeline


def elements(value: Value, names: int) -> Iterable[tuple[Value, Value]]:
    """What `range` goes through: (index or key, element)."""
    if isinstance(value, bool):
        pass
    elif value is None:
        return ()
    elif isinstance(value, Slice):
        return enumerate(value)
    elif isinstance(value, Mapping):
        return sorted(value.items())
    elif isinstance(value, int):
        if names > 1:
            raise Unexpandable(f"can't use {value} to iterate over more than one variable")
        return _counted(value)
    raise Unexpandable(f"range can't iterate over {text(value) or type_name(value)}")


def _counted(count: int) -> Iterator[tuple[Value, Value]]:
    return ((None, number) for number in range(count))


@dataclass(frozen=True, slots=True)
class Call:
    """`template "name" .`: another template in this place."""

    at: int
    name: str
    pipeline: Pipeline | None

    @property
    def text(self) -> str:
        """As Go writes it, in short."""
        about = "" if self.pipeline is None else f" {self.pipeline.text}"
        return f'{{{{template "{self.name}"{about}}}}}'

    def run(self, state: State, dot: Value) -> None:
        """Runs it with variables of its own."""
        state.node = self
        block = state.definitions.get(self.name)
        if not isinstance(block, tuple):
            raise Unexpandable(f'template "{self.name}" not defined')
        state.depth += 1
        if state.depth > DEEPEST:
            raise Unexpandable(f"exceeded maximum template depth ({DEEPEST})")
        about = None if self.pipeline is None else self.pipeline.evaluate(state, dot)
        outer, state.variables = state.variables, [("$", about)]
        run(block, state, about)
        state.variables = outer
        state.depth -= 1


@dataclass(frozen=True, slots=True)
class Leave:
    """`break` or `continue`."""

    with_fault: type[Break] | type[Continue]

    def run(self, state: State, dot: Value) -> None:
        """Leaves the block."""
        raise self.with_fault


Statement: TypeAlias = Words | Action | If | Range | Call | Leave
Block: TypeAlias = tuple[Statement, ...]


def run(block: Block, state: State, dot: Value) -> None:
    """Runs statements in order."""
    for statement in block:
        statement.run(state, dot)
