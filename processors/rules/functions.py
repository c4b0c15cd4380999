"""The functions of templates, and what every step of a template works on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from processors.rules import golang

Argument: TypeAlias = float | str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template may speak of."""

    labels: Mapping[str, str]
    value: float
    external_labels: Mapping[str, str]


Step: TypeAlias = Callable[[Facts], Argument]


class BadTemplate(ValueError):
    """A template that is not Go's, or uses what we do not support; says where."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"template, character {position + 1}: {reason}")
        self.position = position


class Unexpandable(Exception):
    """A function that cannot take its value; shown in place of the text, as Prometheus does."""


def _titled(text: str) -> str:
    return re.sub(r"(?<![\w'’.:])\d*[^\W\d_]", lambda found: found[0].upper(), text)


_NUMERIC: Mapping[str, Callable[[float], str]] = {
    "humanize": golang.humanize,
    "humanize1024": golang.humanize1024,
    "humanizePercentage": golang.humanize_percentage,
    "humanizeDuration": golang.humanize_duration,
}
_TEXTUAL: Mapping[str, Callable[[str], str]] = {
    "toUpper": str.upper,
    "toLower": str.lower,
    "title": _titled,
}


FUNCTIONS = frozenset({"printf", *_NUMERIC, *_TEXTUAL})


def call(name: str, arguments: list[Step], form: str | None, position: int) -> Step:
    """The step that calls a function; `form` is printf's literal format."""
    if name == "printf":
        return _printf(arguments, form, position)
    if len(arguments) != 1:
        raise BadTemplate(position, f"{name!r} takes one argument, got {len(arguments)}")
    inner = arguments[0]
    if name in _NUMERIC:
        apply = _NUMERIC[name]
        return lambda facts: apply(_float(name, inner(facts)))
    change = _TEXTUAL[name]
    return lambda facts: change(_string(name, inner(facts)))


def _printf(arguments: list[Step], form: str | None, position: int) -> Step:
    if form is None:
        raise BadTemplate(position, "printf needs its format as a string")
    wrong = golang.unprintable(form)
    if wrong is not None:
        raise BadTemplate(position, f"printf verb {wrong!r} is not supported")
    return lambda facts: golang.printf(form, [each(facts) for each in arguments[1:]])


def _float(name: str, value: Argument) -> float:
    try:
        return float(value)
    except ValueError as fault:
        raise Unexpandable(f"error calling {name}: {value!r} is no number") from fault


def _string(name: str, value: Argument) -> str:
    if not isinstance(value, str):
        raise Unexpandable(f"error calling {name}: wrong type for value; expected string")
    return value
