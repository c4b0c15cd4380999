"""One condition on one label, and how Alertmanager writes it.

A missing label is an empty one, and a regular expression must match the whole value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from notifiers.regex import compiled
from schemas.templates.quoting import quoted

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)
"""What Go's `unicode.IsSpace` knows; Python's `isspace` knows more."""
RESERVED = frozenset(SPACES + "{}!=~,\\\"'`")
"""What stands in a name or value of the UTF-8 grammar only in quotes."""


class Operator(StrEnum):
    """How a matcher compares; the order is Alertmanager's, which sorts by it."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


_RANK = {operator: rank for rank, operator in enumerate(Operator)}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. Raises ValueError for what is no regular expression."""

    name: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        if self.operator in (Operator.MATCHES, Operator.MATCHES_NOT):
            compiled(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the condition."""
        value = labels.get(self.name, "")
        match self.operator:
            case Operator.EQUAL:
                return value == self.value
            case Operator.NOT_EQUAL:
                return value != self.value
            case Operator.MATCHES:
                return compiled(self.value).matches(value)
            case Operator.MATCHES_NOT:
                return not compiled(self.value).matches(value)

    def __str__(self) -> str:
        if not RESERVED.isdisjoint(self.name):
            return f"{quoted(self.name)}{self.operator}{quoted(self.value)}"
        value = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{self.operator}"{value}"'


def in_order(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """Sorted as Alertmanager does before it writes them into a group key."""
    return tuple(sorted(matchers, key=lambda m: (m.name, m.value, _RANK[m.operator])))


def written(matchers: Iterable[Matcher]) -> str:
    """The form that stands in a group key: `{a="b",c=~"d"}`."""
    return "{" + ",".join(map(str, matchers)) + "}"
