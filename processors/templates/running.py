"""The state of one expansion, and how Go passes a value to a parameter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from processors.templates.errors import Unexpandable
from processors.templates.printf import LONGEST
from processors.templates.values import (
    Arguments,
    Duration,
    Facts,
    Html,
    QueryResult,
    Sample,
    Time,
    Value,
    type_name,
)

MOST_STEPS = 100_000
"""Turns of `range` and calls in one expansion."""
STRING, ANY, RESULT, SAMPLE = (
    "string",
    "interface {}",
    "template.queryResult",
    "*template.sample",
)
MISSING: Final = object()
"""No value came through the pipe."""


class World(Protocol):
    """What functions may ask of the evaluation around them."""

    @property
    def now(self) -> float:
        """The evaluation's instant, in seconds."""
        ...

    @property
    def external_url(self) -> str:
        """Where people find this server."""
        ...

    def query(self, text: str) -> QueryResult:
        """What an expression is worth at the instant; raises Unexpandable."""
        ...


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

    takes: tuple[str, ...]
    apply: Callable[["State", Sequence[Value]], Value]
    variadic: bool = False

    def parameter(self, index: int) -> str:
        """The type of a parameter."""
        return self.takes[min(index, len(self.takes) - 1)]


class State:
    """One expansion: variables, what was written, and where it is."""

    __slots__ = ("definitions", "depth", "node", "out", "size", "steps", "variables", "world")

    def __init__(self, facts: Facts, world: World, definitions: Mapping[str, object]) -> None:
        self.variables: list[tuple[str, Value]] = [
            ("$", facts),
            ("$labels", facts.labels),
            ("$externalLabels", facts.external_labels),
            ("$externalURL", facts.external_url),
            ("$value", facts.value),
        ]
        self.world = world
        self.definitions = definitions
        self.out: list[str] = []
        self.size = self.steps = self.depth = 0
        self.node: Placed | None = None

    def write(self, text: str) -> None:
        """Appends to what is written."""
        self.size += len(text)
        if self.size > LONGEST:
            raise Unexpandable(f"text of more than {LONGEST} characters")
        self.out.append(text)

    def step(self) -> None:
        """Counts what could go on for ever."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Unexpandable(f"more than {MOST_STEPS} steps")

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


def passed(value: Value, kind: str) -> Value:
    """A value as a parameter of some type takes it."""
    if kind == ANY:
        return value
    if value is None:
        if kind == RESULT:
            return QueryResult()
        if kind == SAMPLE:
            return None
        raise Unexpandable(f"invalid value; expected {kind}")
    if type_name(value) != kind:
        raise Unexpandable(f"wrong type for value; expected {kind}; got {type_name(value)}")
    return value


def field(receiver: Value, name: str) -> Value:
    """`.name` of a value: a map's entry, or a field."""
    match receiver:
        case None:
            return None
        case Arguments():
            return receiver.get(name)
        case Mapping():
            return receiver.get(name, "")
        case Facts():
            return _of_facts(receiver, name)
        case Sample() if name in {"Labels", "Value"}:
            return receiver.labels if name == "Labels" else receiver.value
        case Time() | Duration() if name in METHODS[type(receiver)]:
            return METHODS[type(receiver)][name](receiver)
        case Time() | Duration():
            raise Unexpandable(f"method {name} of {type_name(receiver)[1:]} is not supported")
        case Html():
            pass
    raise Unexpandable(f"can't evaluate field {name} in type {type_name(receiver)}")


def _of_facts(facts: Facts, name: str) -> Value:
    match name:
        case "Labels":
            return facts.labels
        case "Value":
            return facts.value
        case "ExternalLabels":
            return facts.external_labels
        case "ExternalURL":
            return facts.external_url
    raise Unexpandable(f"can't evaluate field {name} in type {type_name(facts)}")


def _seconds(value: Value) -> int:
    assert isinstance(value, Time)
    return value.milliseconds // 1000


METHODS: Mapping[type, Mapping[str, Callable[[Value], Value]]] = {
    Time: {"String": str, "Unix": _seconds, "UTC": lambda value: value},
    Duration: {
        "String": str,
        "Seconds": lambda value: _nanoseconds(value) / 1e9,
        "Minutes": lambda value: _nanoseconds(value) / 6e10,
        "Hours": lambda value: _nanoseconds(value) / 3.6e12,
        "Milliseconds": lambda value: int(_nanoseconds(value) / 1e6),
    },
}
"""What may be called on a time and a duration."""


def _nanoseconds(value: Value) -> int:
    assert isinstance(value, Duration)
    return value.nanoseconds
