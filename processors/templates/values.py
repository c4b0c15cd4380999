"""The values that templates work on, by Go's types: names, truth, and how they are printed.

float is float64, int is int, str is string, None is nil; the rest are the types below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from processors.templates import numbers

Value: TypeAlias = object


class Html(str):
    """Text that `safeHtml` marked: a type of its own in Go, which takes no part as a string."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A series of a query's result."""

    labels: dict[str, str]
    value: float


class QueryResult(list[Sample]):
    """What `query` answers."""


class Arguments(dict[str, Value]):
    """What `args` answers."""


@dataclass(frozen=True, slots=True)
class Time:
    """What `toTime` answers: milliseconds since 1970, in UTC."""

    milliseconds: int

    def __str__(self) -> str:
        seconds, rest = divmod(self.milliseconds, 1000)
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        fraction = f".{rest:03d}".rstrip("0") if rest else ""
        return f"{when:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


@dataclass(frozen=True, slots=True)
class Duration:
    """What `toDuration` answers."""

    nanoseconds: int

    def __str__(self) -> str:
        return numbers.duration(self.nanoseconds)


@dataclass(slots=True, eq=False)  # not frozen: one is made for every expansion
class Facts:
    """What a template may speak of: the dot, and what `$` is."""

    labels: Mapping[str, str]
    external_labels: Mapping[str, str]
    external_url: str
    value: float


_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float64"),
    (Html, "template.HTML"),
    (str, "string"),
    (Arguments, "map[string]interface {}"),
    (Mapping, "map[string]string"),
    (QueryResult, "template.queryResult"),
    (Sample, "*template.sample"),
    (Time, "*time.Time"),
    (Duration, "*time.Duration"),
    (
        Facts,
        "struct { Labels map[string]string; ExternalLabels map[string]string; "
        "ExternalURL string; Value interface {} }",
    ),
)


def type_name(value: Value) -> str:
    """The type as Go's messages name it."""
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "<nil>")


def truth(value: Value) -> bool:
    """Whether `if` takes it: what is not the zero of its type."""
    if isinstance(value, Facts | Sample | Time | Duration):
        return True
    return bool(value)


def text(value: Value) -> str:
    """The value as `%v` prints it."""
    match value:
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
        case Sample():
            return f"{{{text(value.labels)} {text(value.value)}}}"
        case QueryResult():
            return "[" + " ".join(text(each) for each in value) + "]"
        case Facts():
            parts = (value.labels, value.external_labels, value.external_url, value.value)
            return "{" + " ".join(text(each) for each in parts) + "}"
    return str(value)
