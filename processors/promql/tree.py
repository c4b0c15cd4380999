"""The expression as a tree of our own: frozen and hashable, free of the parser's types."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from processors.promql.selector import Selector

Milliseconds: TypeAlias = int


class Kind(StrEnum):
    """The four types of PromQL."""

    SCALAR = "scalar"
    VECTOR = "instant vector"
    MATRIX = "range vector"
    STRING = "string"


class Cardinality(StrEnum):
    """Which side of a binary operator may have several series for one match."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "group_left"
    ONE_TO_MANY = "group_right"


class Edge(StrEnum):
    """An end of the evaluation's bounds, which `@` may name in place of a time."""

    START = "start"
    END = "end"


At: TypeAlias = Milliseconds | Edge | None


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    value: str


@dataclass(frozen=True, slots=True)
class Select:
    """An instant selector, or a range selector where `window` is given; `at` is its `@`."""

    selector: Selector
    offset: Milliseconds = 0
    window: Milliseconds | None = None
    at: At = None


@dataclass(frozen=True, slots=True)
class Subquery:
    """An expression at every `step` of a range; None is the default step."""

    inner: "Expression"
    range: Milliseconds
    step: Milliseconds | None = None
    offset: Milliseconds = 0
    at: At = None


@dataclass(frozen=True, slots=True)
class Paren:
    """Parentheses; kept, because `absent` looks at its argument's form."""

    inner: "Expression"


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus."""

    inner: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    name: str
    args: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """How the series of two sides find each other; a fill stands for a series that is missing."""

    on: bool = False
    labels: tuple[str, ...] = ()
    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two sides."""

    op: str
    left: "Expression"
    right: "Expression"
    returns_bool: bool = False
    matching: Matching = Matching()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation over groups of series; `param` is what comes before the series."""

    op: str
    inner: "Expression"
    by: bool = True
    labels: tuple[str, ...] = ()
    param: "Expression | None" = None


Expression: TypeAlias = (
    Number | Text | Select | Subquery | Paren | Negate | Call | Binary | Aggregate
)


def children(tree: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside one."""
    match tree:
        case Paren(inner) | Negate(inner) | Subquery(inner=inner):
            return (inner,)
        case Aggregate(inner=inner, param=param):
            return (inner,) if param is None else (param, inner)
        case Call(args=args):
            return args
        case Binary(left=left, right=right):
            return (left, right)
    return ()
