"""Which series an expression reads: label matchers, anchored as Prometheus's are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.regex import Test, anchored


class Match(StrEnum):
    """The four matchers of PromQL."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; an absent label is an empty one."""

    name: str
    op: Match
    value: str
    _matches: Test = field(init=False, compare=False, repr=False)
    _wanted: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        expression = self.op in {Match.REGEX, Match.NOT_REGEX}
        test = anchored(self.value) if expression else self.value.__eq__
        object.__setattr__(self, "_matches", test)
        object.__setattr__(self, "_wanted", self.op in {Match.EQUAL, Match.REGEX})

    def accepts(self, value: str) -> bool:
        """Whether a label of this value meets the condition."""
        return self._matches(value) is self._wanted


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
