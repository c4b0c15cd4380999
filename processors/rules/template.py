"""The templates of labels and annotations: the subset of Go's that rules use, compiled at load."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from processors.promql.labels import Labels
from processors.rules import golang
from processors.rules.functions import (
    FUNCTIONS,
    Argument,
    BadTemplate,
    Facts,
    Step,
    Unexpandable,
    call,
)


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
            if token not in FUNCTIONS:
                raise BadTemplate(position, f"{token!r} is not supported")
            self.at += 1
            arguments = self.operands() + ([] if piped is None else [piped])
            form = self._form(position)
            return call(token, arguments, form, position)
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
