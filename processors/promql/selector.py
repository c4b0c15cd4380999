"""Which series an expression reads: label matchers, with Go's anchored regular expressions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from processors.promql.errors import Refused
from processors.promql.labels import METRIC_NAME, Labels
from schemas.patterns import refuse_slow

_POSIX = {
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:space:]": r"\t\n\v\f\r ",
    "[:upper:]": "A-Z",
    "[:word:]": r"0-9A-Za-z_",
    "[:xdigit:]": "0-9A-Fa-f",
}


class Match(StrEnum):
    """The four matchers of PromQL."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


def compiled(pattern: str) -> re.Pattern[str]:
    """Go's syntax as Python reads it: ASCII classes, `.` that matches every character."""
    translated = pattern.replace(r"\z", r"\Z")
    for name, members in _POSIX.items():
        translated = translated.replace(name, members)
    try:
        found = re.compile(translated, re.DOTALL | re.ASCII)
        refuse_slow(translated, re.DOTALL | re.ASCII)
    except (ValueError, re.error, OverflowError, RecursionError) as fault:
        raise Refused(f"regular expression {pattern!r}: {fault}") from fault
    return found


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; an absent label is an empty one."""

    name: str
    op: Match
    value: str
    pattern: re.Pattern[str] | None = field(init=False, compare=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if self.op in {Match.REGEX, Match.NOT_REGEX}:
            object.__setattr__(self, "pattern", compiled(self.value))

    def accepts(self, value: str) -> bool:
        """Whether a label of this value meets the condition."""
        if self.pattern is None:
            return (value == self.value) is (self.op is Match.EQUAL)
        return (self.pattern.fullmatch(value) is not None) is (self.op is Match.REGEX)


@dataclass(frozen=True, slots=True)
class Selector:
    """The matchers of one selector; hashable, so that sources cache what it selects."""

    matchers: tuple[Matcher, ...]

    @property
    def metric(self) -> str | None:
        """The metric's name where the selector demands one exactly."""
        for matcher in self.matchers:
            if matcher.name == METRIC_NAME and matcher.op is Match.EQUAL and matcher.value:
                return matcher.value
        return None

    def matches(self, labels: Labels) -> bool:
        """Whether a series of these labels is selected."""
        return self.accepts(dict(labels))

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """As `matches`, for a caller that has the labels as a mapping already."""
        return all(each.accepts(labels.get(each.name, "")) for each in self.matchers)
