"""The values that templates work on, by Go's types: names, truth, and how they are printed.

float is float64, int is int, str is string, None is nil; a dict is map[string]string. What else
there is a template's user makes of `Typed`.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, TypeAlias

from schemas.templates import numbers
from schemas.templates.errors import Unexpandable

Value: TypeAlias = object


class Typed:
    """A value of a type of its own, which may also be a str, an int, a list or a dict."""

    __slots__ = ()
    go_type: ClassVar[str]

    def member(self, name: str) -> Value:
        """A field, or a method as a Function; raises Unexpandable."""
        raise no_field(self, name)

    @abstractmethod
    def shown(self) -> str:
        """As `%v` prints it."""


class Html(Typed, str):
    """Text that `safeHtml` marked: a type of its own in Go, which takes no part as a string."""

    __slots__ = ()
    go_type = "template.HTML"

    def shown(self) -> str:
        """The text."""
        return str(self)


class Slice(Typed, list[Value]):
    """A slice; `go_type` names it."""

    go_type = "[]interface {}"

    def shown(self) -> str:
        """Elements with spaces between them."""
        return "[" + " ".join(text(each) for each in self) + "]"


class Anything(dict[str, Value]):
    """A map whose missing entries are nil, not empty text."""


_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float64"),
    (str, "string"),
    (Anything, "map[string]interface {}"),
    (Mapping, "map[string]string"),
)


def type_name(value: Value) -> str:
    """The type as Go's messages name it."""
    if isinstance(value, Typed):
        return value.go_type
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "<nil>")


def no_field(value: Value, name: str) -> Unexpandable:
    """The failure for a field that there is not."""
    return Unexpandable(f"can't evaluate field {name} in type {type_name(value)}")


def truth(value: Value) -> bool:
    """Whether `if` takes it: what is not the zero of its type."""
    return bool(value)


def text(value: Value) -> str:
    """The value as `%v` prints it."""
    match value:
        case Typed():
            return value.shown()
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return numbers.number(value)
        case None:
            return "<nil>"
        case Mapping():
            pairs = sorted(value.items())
            return "map[" + " ".join(f"{name}:{text(each)}" for name, each in pairs) + "]"
    return str(value)
