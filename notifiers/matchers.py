"""Label matchers in Alertmanager's classic grammar.

The semantics are Alertmanager's: a missing label is an empty one, and a regular expression must
match the whole value.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from notifiers.regex import compiled

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


class Operator(StrEnum):
    """How a matcher compares; the order is Alertmanager's, which sorts by it."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


class Mode(StrEnum):
    """Which grammar matchers and label names are read in; Alertmanager's default is FALLBACK."""

    CLASSIC = "classic"
    FALLBACK = "fallback"
    UTF8 = "utf8"


_RANK = {operator: rank for rank, operator in enumerate(Operator)}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

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
                return compiled(self.value).fullmatch(value) is not None
            case Operator.MATCHES_NOT:
                return compiled(self.value).fullmatch(value) is None

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
        return f'{self.name}{self.operator}"{value}"'


def in_order(matchers: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """Sorted as Alertmanager does before it writes them into a group key."""
    return tuple(sorted(matchers, key=lambda m: (m.name, m.value, _RANK[m.operator])))


def written(matchers: Iterable[Matcher]) -> str:
    """The form that stands in a group key: `{a="b",c=~"d"}`."""
    return "{" + ",".join(map(str, matchers)) + "}"


def is_label_name(text: str, mode: Mode = Mode.CLASSIC) -> bool:
    """Whether this is a label name: any text but none, or a word without colon if CLASSIC."""
    if mode is not Mode.CLASSIC:
        return text != ""
    return ":" not in text and _NAME.fullmatch(text) is not None


def parse_matchers(text: str, mode: Mode = Mode.FALLBACK) -> list[Matcher]:
    """The matchers in `{a="b", c=~"d"}`; braces and the last comma may be missing.

    Raises ValueError with a sentence for people.
    """
    return [_matcher(part) for part in _split(text.removeprefix("{").removesuffix("}"))]


def _split(text: str) -> list[str]:
    parts, part, quoted, escaped = [], "", False, False
    for char in text:
        if char == "," and not quoted:
            parts.append(part)
            part = ""
            continue
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
        part += char
    if part.strip():
        parts.append(part)
    return parts


def _matcher(text: str) -> Matcher:
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"bad matcher format: {text.strip()[:100]}")
    name, operator, raw = found.groups()
    if not raw:
        return Matcher(name, Operator(operator), "")
    return Matcher(name, Operator(operator), _unquoted(raw))


def _unquoted(raw: str) -> str:
    opened = raw.startswith('"')
    body = raw.removeprefix('"')
    value, at = [], 0
    while at < len(body):
        char = body[at]
        if char == "\\" and at + 1 < len(body):
            following = body[at + 1]
            value.append(_ESCAPES.get(following, char + following))
            at += 2
            continue
        if char == '"':
            if not opened or at + 1 < len(body):
                raise ValueError(f"matcher value contains unescaped double quote: {raw[:100]}")
            return "".join(value)
        value.append(char)
        at += 1
    if opened:
        raise ValueError(f"matcher value contains unescaped double quote: {raw[:100]}")
    return "".join(value)
