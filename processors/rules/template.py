"""The templates of labels and annotations: the subset of Go's that rules use, compiled at load."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from processors.promql.labels import Labels
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


@dataclass(frozen=True, slots=True)
class Template:
    """Text with holes."""

    text: str
    parts: tuple[str | Step, ...]

    def expand(self, labels: Labels, value: float, external: Labels = ()) -> str:
        """The text for one alert."""
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return self.parts[0]
        facts = Facts(dict(labels), value, dict(external))
        try:
            return "".join(p if isinstance(p, str) else printed(p(facts)) for p in self.parts)
        except Unexpandable as fault:
            return f"<error expanding template: {fault}>"


def printed(value: Argument) -> str:
    """A value as it appears in the text."""
    return value if isinstance(value, str) else golang.number(value)


_ACTION = re.compile(r"\{\{(- )?(.*?)( -)?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\s*/\*.*?\*/\s*", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    |(?P<path>\$?\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\$|\.)
    |(?P<mark>[|()]))""",
    re.VERBOSE,
)
_ROOTS = {
    "$labels": "labels",
    ".Labels": "labels",
    "$externalLabels": "external_labels",
    ".ExternalLabels": "external_labels",
}
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}


def compiled(text: str) -> Template:
    """Reads a template; raises BadTemplate."""
    parts: list[str | Step] = []
    end, trims = 0, False
    for found in _ACTION.finditer(text):
        before = text[end : found.start()]
        _no_stray(before, end)
        before = before.lstrip() if trims else before
        parts.append(before.rstrip() if found[1] else before)
        end, trims = found.end(), bool(found[3])
        if not _COMMENT.fullmatch(found[2]):
            parts.append(_Parser(found[2], found.start(2)).whole())
    _no_stray(text[end:], end)
    parts.append(text[end:].lstrip() if trims else text[end:])
    return Template(text, tuple(part for part in parts if part != "") or ("",))


def _no_stray(text: str, offset: int) -> None:
    if "{{" in text:
        raise BadTemplate(offset + text.index("{{"), "unclosed action")


class _Parser:
    """One action: operands, functions, pipes and parentheses."""

    def __init__(self, text: str, offset: int) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        self.offset, self.at = offset, 0
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise BadTemplate(offset + place, f"cannot read {text[place:].strip()[:20]!r}")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind], offset + found.start(kind)))
            place = found.end()

    def whole(self) -> Step:
        """The action's step."""
        if not self.tokens:
            raise BadTemplate(self.offset, "missing value for command")
        step = self.pipeline()
        if self.at < len(self.tokens):
            _, token, position = self.tokens[self.at]
            raise BadTemplate(position, f"unexpected {token!r}")
        return step

    def pipeline(self) -> Step:
        """Commands, each given the result of the one before as its last argument."""
        step = self.command(None)
        while self.at < len(self.tokens) and self.tokens[self.at][1] == "|":
            self.at += 1
            step = self.command(step)
        return step

    def command(self, piped: Step | None) -> Step:
        """A function with its arguments, or an operand alone."""
        if self.at >= len(self.tokens):
            raise BadTemplate(self.offset, "missing value for command")
        kind, token, position = self.tokens[self.at]
        if kind == "path" and token[0] not in "$.":
            if token not in _FUNCTIONS:
                raise BadTemplate(position, f"{token!r} is not supported")
            self.at += 1
            arguments = self.operands() + ([] if piped is None else [piped])
            form = self._form(position)
            return _call(token, arguments, form, position)
        operands = self.operands()
        if len(operands) != 1 or piped is not None:
            raise BadTemplate(position, f"{token!r} is no function")
        return operands[0]

    def _form(self, position: int) -> str | None:
        following = [token for token in self.tokens if token[2] > position][:1]
        return _unquoted(following[0][1]) if following and following[0][0] == "string" else None

    def operands(self) -> list[Step]:
        """Operands up to a pipe, a closing parenthesis or the end."""
        found: list[Step] = []
        while self.at < len(self.tokens) and self.tokens[self.at][1] not in ("|", ")"):
            found.append(self.operand())
        return found

    def operand(self) -> Step:
        """A label, the value, a literal, or something in parentheses."""
        kind, token, position = self.tokens[self.at]
        self.at += 1
        if kind == "string":
            text = _unquoted(token)
            return lambda _: text
        if kind == "number":
            literal = float(token)
            return lambda _: literal
        if kind == "mark":
            step = self.pipeline()
            if self.at >= len(self.tokens) or self.tokens[self.at][1] != ")":
                raise BadTemplate(position, "unclosed parenthesis")
            self.at += 1
            return step
        return _field(token, position)


def _field(path: str, position: int) -> Step:
    if path in ("$value", ".Value", "$.Value"):
        return lambda facts: facts.value
    root, _, name = path.removeprefix("$" if path.startswith("$.") else "").rpartition(".")
    if root in _ROOTS:
        held = _ROOTS[root]
        return lambda facts: getattr(facts, held).get(name, "")
    if path in _ROOTS:
        whole = _ROOTS[path]
        return lambda facts: _map(getattr(facts, whole))
    raise BadTemplate(position, f"{path!r} is not supported")


def _map(pairs: Mapping[str, str]) -> str:
    return "map[" + " ".join(f"{name}:{pairs[name]}" for name in sorted(pairs)) + "]"


def _unquoted(token: str) -> str:
    if token[0] == "`":
        return token[1:-1]
    return _ESCAPED.sub(_unescaped, token[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else _ESCAPES.get(found[4], found[0])


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


_FUNCTIONS = frozenset({"printf", *_NUMERIC, *_TEXTUAL})


def _call(name: str, arguments: list[Step], form: str | None, position: int) -> Step:
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
