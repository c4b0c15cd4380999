"""The state of one expansion, and how Go passes a value to a parameter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.templates.errors import TooMuch, Unexpandable
from schemas.templates.printf import LONGEST
from schemas.templates.values import Anything, Typed, Value, no_field, text, type_name

MOST_STEPS = 100_000
"""Turns of `range` and calls in one expansion."""
MISSING: Final = object()
"""No value came through the pipe."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter's type; `also` are other types that Go assigns to it, `whole` is an integer."""

    name: str
    nilable: bool = False
    whole: bool = False
    also: tuple[str, ...] = ()


ANY: Final = Parameter("interface {}", nilable=True)
STRING: Final = Parameter("string")


class Placed(Protocol):
    """A node as far as messages speak of it."""

    @property
    def at(self) -> int:
        """Its place in the text."""
        ...

    @property
    def text(self) -> str:
        """It, as Go writes it."""
        ...


@dataclass(frozen=True, slots=True)
class Function:
    """A function that templates may call; the last type repeats where it is variadic."""

    takes: tuple[Parameter, ...]
    apply: Callable[["State", Sequence[Value]], Value]
    variadic: bool = False

    def parameter(self, index: int) -> Parameter:
        """The type of a parameter."""
        return self.takes[min(index, len(self.takes) - 1)] if self.takes else ANY


def printed(value: Value) -> str:
    """What an action writes."""
    return "<no value>" if value is None else text(value)


class State:
    """One expansion: variables, what was written, and where it is.

    `world` is what the functions ask about; each knows its own. `shows` writes an action's value.
    """

    __slots__ = (
        "definitions",
        "depth",
        "functions",
        "node",
        "out",
        "shows",
        "size",
        "steps",
        "variables",
        "world",
    )

    def __init__(
        self,
        variables: list[tuple[str, Value]],
        functions: Mapping[str, Function],
        definitions: Mapping[str, object],
        world: object,
        shows: Callable[[Value], str] = printed,
    ) -> None:
        self.variables = variables
        self.functions, self.definitions = functions, definitions
        self.world, self.shows = world, shows
        self.out: list[str] = []
        self.size = self.steps = self.depth = 0
        self.node: Placed | None = None

    def write(self, text: str) -> None:
        """Appends to what is written."""
        self.size += len(text)
        if self.size > LONGEST:
            self.out.append(text[: LONGEST - self.size + len(text)])
            raise TooMuch(f"text of more than {LONGEST} characters")
        self.out.append(text)

    def step(self) -> None:
        """Counts what could go on for ever."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuch(f"more than {MOST_STEPS} steps")

    def variable(self, name: str) -> Value:
        """The innermost variable of that name."""
        for known, value in reversed(self.variables):
            if known == name:
                return value
        raise Unexpandable(f"undefined variable: {name}")

    def assign(self, name: str, value: Value) -> None:
        """Gives the innermost variable of that name another value."""
        for place in range(len(self.variables) - 1, -1, -1):
            if self.variables[place][0] == name:
                self.variables[place] = (name, value)
                return
        raise Unexpandable(f"undefined variable: {name}")


def passed(value: Value, kind: Parameter) -> Value:
    """A value as a parameter of some type takes it."""
    if kind is ANY:
        return value
    if value is None:
        if kind.nilable:
            return None
        raise Unexpandable(f"invalid value; expected {kind.name}")
    found = type_name(value)
    if found != kind.name and found not in kind.also:
        raise Unexpandable(f"wrong type for value; expected {kind.name}; got {found}")
    return value


def member(receiver: Value, name: str) -> Value:
    """`.name` of a value: a map's entry, a field, or a method as a Function."""
    match receiver:
        case None:
            return None
        case Typed():
            return receiver.member(name)
        case Anything():
            return receiver.get(name)
        case Mapping():
            return receiver.get(name, "")
    raise no_field(receiver, name)
