"""The parts of a template's actions: operands, commands and pipelines, and what they are worth.

Every node says where it is (`at`) and how Go writes it (`text`), because Go's messages do. A node
tells the state that it is at work, so that a failure is blamed on the node that Go blames.
"""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.templates.errors import Unexpandable
from schemas.templates.running import (
    ANY,
    MISSING,
    STRING,
    Function,
    Parameter,
    State,
    member,
    passed,
)
from schemas.templates.values import Value, truth


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, a number or a truth value."""

    at: int
    text: str
    value: str | float | int | bool

    def evaluate(self, state: State, dot: Value) -> Value:
        """The literal itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Nil:
    """`nil`, which is a value for arguments only."""

    at: int
    text: str = "nil"

    def evaluate(self, state: State, dot: Value) -> Value:
        """No command."""
        state.node = self
        raise Unexpandable("nil is not a command")


@dataclass(frozen=True, slots=True)
class Dot:
    """`.`: what the template is about just now."""

    at: int
    text: str = "."

    def evaluate(self, state: State, dot: Value) -> Value:
        """The dot."""
        return dot


@dataclass(frozen=True, slots=True)
class Field:
    """`.A.B`: fields of the dot."""

    at: int
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """As written."""
        return "." + ".".join(self.names)

    def evaluate(self, state: State, dot: Value) -> Value:
        """The last field."""
        return self.called_with((), MISSING, state, dot)

    def called_with(
        self, operands: tuple["Operand", ...], final: Value, state: State, dot: Value
    ) -> Value:
        """The last field, which is a method if it is given arguments."""
        state.node = self
        return reached(dot, self.names, self, operands, final, state, dot)


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x.A.B`: a variable, or fields of it."""

    at: int
    name: str
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As written."""
        return ".".join((self.name, *self.names))

    def evaluate(self, state: State, dot: Value) -> Value:
        """The variable, or the last field."""
        return self.called_with((), MISSING, state, dot)

    def called_with(
        self, operands: tuple["Operand", ...], final: Value, state: State, dot: Value
    ) -> Value:
        """The last field, which is a method if it is given arguments."""
        state.node = self
        value = state.variable(self.name)
        return reached(value, self.names, self, operands, final, state, dot)


@dataclass(frozen=True, slots=True)
class Chain:
    """`(…).A.B`: fields of what a pipeline or a function is worth."""

    at: int
    inner: "Operand"
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """As written."""
        return ".".join((enclosed(self.inner), *self.names))

    def evaluate(self, state: State, dot: Value) -> Value:
        """The last field."""
        return self.called_with((), MISSING, state, dot)

    def called_with(
        self, operands: tuple["Operand", ...], final: Value, state: State, dot: Value
    ) -> Value:
        """The last field, which is a method if it is given arguments."""
        state.node = self
        if isinstance(self.inner, Nil):
            raise Unexpandable(f"indirection through explicit nil in {self.text}")
        value = self.inner.evaluate(state, dot)
        return reached(value, self.names, self, operands, final, state, dot)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A function that is called without arguments where it stands."""

    at: int
    text: str

    def evaluate(self, state: State, dot: Value) -> Value:
        """What it answers."""
        state.node = self
        return called(self, self, (), MISSING, state, dot)


@dataclass(frozen=True, slots=True)
class Command:
    """An operand alone, or a function with its arguments."""

    at: int
    operands: tuple["Operand", ...]

    @property
    def text(self) -> str:
        """As Go writes it."""
        return " ".join(enclosed(each) for each in self.operands)

    def evaluate(self, state: State, dot: Value, final: Value = MISSING) -> Value:
        """Its value; `final` is what came through the pipe."""
        first = self.operands[0]
        if isinstance(first, Identifier):
            state.node = first
            return called(first, self, self.operands[1:], final, state, dot)
        if len(self.operands) > 1 or final is not MISSING:
            state.node = first
            if isinstance(first, Variable | Field | Chain) and not _plain(first):
                return first.called_with(self.operands[1:], final, state, dot)
            raise Unexpandable(f"can't give argument to non-function {first.text}")
        if isinstance(first, Literal | Dot):
            state.node = first
        return first.evaluate(state, dot)


def _plain(operand: "Operand") -> bool:
    return isinstance(operand, Variable) and not operand.names


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the value of the one before; the value may become a variable."""

    at: int
    commands: tuple[Command, ...]
    declares: tuple[str, ...] = ()
    assigns: bool = False

    @property
    def text(self) -> str:
        """As Go writes it."""
        front = ", ".join(self.declares) + (" = " if self.assigns else " := ")
        return (front if self.declares else "") + " | ".join(each.text for each in self.commands)

    def evaluate(self, state: State, dot: Value) -> Value:
        """The value of the last command."""
        state.node = self
        value = MISSING
        for command in self.commands:
            value = command.evaluate(state, dot, value)
        for name in self.declares:
            if self.assigns:
                state.assign(name, value)
            else:
                state.variables.append((name, value))
        return value


Operand: TypeAlias = Literal | Nil | Dot | Field | Variable | Chain | Identifier | Pipeline


def enclosed(operand: Operand) -> str:
    """An operand's text, a pipeline in parentheses."""
    return f"({operand.text})" if isinstance(operand, Pipeline) else operand.text


def called(
    name: Identifier,
    blamed: Identifier | Command,
    operands: tuple[Operand, ...],
    final: Value,
    state: State,
    dot: Value,
) -> Value:
    """What a function answers."""
    state.step()
    if name.text in {"and", "or"}:
        return _shortest(name.text == "or", operands, final, state, dot)
    return applied(state.functions[name.text], name.text, blamed, operands, final, state, dot)


def reached(
    value: Value,
    names: tuple[str, ...],
    blamed: "Field | Variable | Chain",
    operands: tuple[Operand, ...],
    final: Value,
    state: State,
    dot: Value,
) -> Value:
    """Fields of fields; methods are called, the last one with the arguments."""
    for place, name in enumerate(names, 1):
        value = member(value, name)
        last = place == len(names)
        if isinstance(value, Function):
            rest, piped = (operands, final) if last else ((), MISSING)
            value = applied(value, name, blamed, rest, piped, state, dot)
        elif last and (operands or final is not MISSING):
            raise Unexpandable(f"{name} is not a method but has arguments")
    return value


def applied(
    function: Function,
    name: str,
    blamed: "Identifier | Command | Field | Variable | Chain",
    operands: tuple[Operand, ...],
    final: Value,
    state: State,
    dot: Value,
) -> Value:
    """What a function or a method answers to its arguments."""
    count = len(operands) + (final is not MISSING)
    fixed = len(function.takes) - function.variadic
    if function.variadic and count < fixed:
        raise Unexpandable(
            f"wrong number of args for {name}: want at least {fixed} got {len(operands)}"
        )
    if not function.variadic and count != fixed:
        raise Unexpandable(f"wrong number of args for {name}: want {fixed} got {count}")
    given = [
        argument(each, function.parameter(place), state, dot) for place, each in enumerate(operands)
    ]
    if final is not MISSING:
        given.append(passed(final, function.parameter(len(operands))))
    try:
        return function.apply(state, given)
    except Unexpandable as fault:
        state.node = blamed
        raise Unexpandable(f"error calling {name}: {fault}") from fault


def _shortest(
    wanted: bool, operands: tuple[Operand, ...], final: Value, state: State, dot: Value
) -> Value:
    """`and` and `or`, which look no further than they must."""
    value: Value = None
    for each in operands:
        value = argument(each, ANY, state, dot)
        if truth(value) is wanted:
            return value
    return value if final is MISSING else final


def argument(operand: Operand, kind: Parameter, state: State, dot: Value) -> Value:
    """An operand as an argument of some type."""
    state.node = operand
    if isinstance(operand, Nil):
        if kind.nilable:
            return None
        raise Unexpandable(f"cannot assign nil to {kind.name}")
    if not isinstance(operand, Literal):
        return passed(operand.evaluate(state, dot), kind)
    if kind is ANY:
        return operand.value
    if kind.whole and isinstance(operand.value, int | float):
        if isinstance(operand.value, bool) or operand.value != int(operand.value):
            raise Unexpandable(f"expected integer; found {operand.text}")
        return int(operand.value)
    if kind is not STRING:
        raise Unexpandable(f"can't handle {operand.text} for arg of type {kind.name}")
    if not isinstance(operand.value, str):
        raise Unexpandable(f"expected {kind.name}; found {operand.text}")
    return operand.value
