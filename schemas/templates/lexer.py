"""Go's template lexer: text and actions as tokens, white space trimmed where a marker says so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from schemas.templates.quoting import quoted


class T(StrEnum):
    """The kinds of tokens."""

    TEXT = "text"
    LEFT = "left"
    RIGHT = "right"
    SPACE = "space"
    FIELD = "field"
    VARIABLE = "variable"
    IDENTIFIER = "identifier"
    KEYWORD = "keyword"
    DOT = "dot"
    NIL = "nil"
    BOOL = "bool"
    NUMBER = "number"
    RUNE = "rune"
    STRING = "string"
    RAW = "raw"
    PIPE = "pipe"
    OPEN = "open"
    CLOSE = "close"
    ASSIGN = "assign"
    DECLARE = "declare"
    CHAR = "char"
    ERROR = "error"
    EOF = "eof"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the template; `at` is its place in the text, `line` counts from 1."""

    kind: T
    value: str
    at: int
    line: int

    def __str__(self) -> str:
        if self.kind is T.EOF:
            return "EOF"
        if self.kind is T.ERROR:
            return self.value
        if self.kind in {T.KEYWORD, T.DOT, T.NIL}:
            return f"<{self.value}>"
        short = self.value[:10]
        return quoted(short) + ("..." if len(self.value.encode()) > 10 else "")


_KEYWORDS = frozenset(
    {"block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"}
)
_SPACES = " \t\r\n"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*|0[bB][01_]*|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]*)?)i?"
)
_WORD = re.compile(r"\w+")
_SPACE = re.compile(r"[ \t\r\n]+")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_RAW = re.compile(r"`[^`]*`")
_MARKS = {"=": T.ASSIGN, "|": T.PIPE}


def tokens(text: str) -> list[Token]:
    """All tokens, the last one being EOF or what is wrong."""
    return list(_Lexer(text).tokens())


class _Stop(Exception):
    """The lexer cannot go on."""


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.line = text, 0, 1
        self.depth = 0

    def tokens(self) -> Iterator[Token]:
        """Every token up to the end, or up to an error."""
        try:
            yield from self.template()
        except _Stop as fault:
            yield Token(T.ERROR, str(fault), self.at, self.line)

    def token(self, kind: T, end: int) -> Token:
        """The text up to `end` as a token."""
        found = Token(kind, self.text[self.at : end], self.at, self.line)
        self.skip(end)
        return found

    def skip(self, end: int) -> None:
        """Passes over the text up to `end`."""
        self.line += self.text.count("\n", self.at, end)
        self.at = end

    def template(self) -> Iterator[Token]:
        """Text, and what stands between braces."""
        while (left := self.text.find("{{", self.at)) >= 0:
            trims = self.trims_left(left + 2)
            end = self.at + len(self.text[self.at : left].rstrip(_SPACES)) if trims else left
            if end > self.at:
                yield self.token(T.TEXT, end)
            self.skip(left)
            inner = left + (4 if trims else 2)
            if self.text.startswith("/*", inner):
                self.comment(inner)
                continue
            yield self.token(T.LEFT, left + 2)
            self.skip(inner)
            yield from self.action()
        if self.at < len(self.text):
            yield self.token(T.TEXT, len(self.text))
        yield Token(T.EOF, "", self.at, self.line)

    def trims_left(self, at: int) -> bool:
        return self.text[at : at + 1] == "-" and self.text[at + 1 : at + 2] in tuple(_SPACES)

    def closes(self, at: int) -> int:
        """How long the right delimiter here is; 0 where there is none."""
        if self.text.startswith("}}", at):
            return 2
        marked = self.text[at : at + 1] in tuple(_SPACES) and self.text.startswith("-}}", at + 1)
        return 4 if marked else 0

    def right(self, size: int) -> None:
        """Passes over a right delimiter and the space it trims."""
        end = self.at + size
        if size == 4:
            end += len(self.text) - end - len(self.text[end:].lstrip(_SPACES))
        self.skip(end)

    def comment(self, at: int) -> None:
        found = _COMMENT.match(self.text, at)
        if found is None:
            raise _Stop("unclosed comment")
        size = self.closes(found.end())
        if not size:
            raise _Stop("comment ends before closing delimiter")
        self.skip(found.end())
        self.right(size)

    def action(self) -> Iterator[Token]:
        """The inside of an action, with its right delimiter."""
        self.depth = 0
        while True:
            size = self.closes(self.at)
            if size:
                if self.depth:
                    raise _Stop("unclosed left paren")
                yield Token(T.RIGHT, "}}", self.at + size - 2, self.line)
                self.right(size)
                return
            if self.at >= len(self.text):
                raise _Stop("unclosed action")
            yield self.piece()

    def piece(self) -> Token:
        """One token inside an action."""
        text, at = self.text, self.at
        first = text[at]
        if first in _SPACES:
            return self.space()
        if first in _MARKS:
            return self.token(_MARKS[first], at + 1)
        if first == ":":
            if not text.startswith(":=", at):
                raise _Stop("expected :=")
            return self.token(T.DECLARE, at + 2)
        if first in "\"`'":
            return self.literal(first)
        if first == "$":
            return self.dotted(T.VARIABLE, T.VARIABLE)
        if first == "." and not text[at + 1 : at + 2].isdigit():
            return self.dotted(T.FIELD, T.DOT)
        if first in ".+-" or "0" <= first <= "9":
            return self.number()
        if first == "_" or first.isalnum():
            return self.word()
        if first in "()":
            return self.parenthesis(first)
        if first.isascii() and first.isprintable():
            return self.token(T.CHAR, at + 1)
        raise _Stop(f"unrecognized character in action: U+{ord(first):04X}")

    def space(self) -> Token:
        found = _SPACE.match(self.text, self.at)
        assert found is not None
        end = found.end()
        # The last space may belong to the right delimiter.
        return self.token(T.SPACE, end - 1 if self.closes(end - 1) == 4 else end)

    def parenthesis(self, first: str) -> Token:
        self.depth += 1 if first == "(" else -1
        if self.depth < 0:
            raise _Stop("unexpected right paren")
        return self.token(T.OPEN if first == "(" else T.CLOSE, self.at + 1)

    def literal(self, quote: str) -> Token:
        form, kind, what = {
            '"': (_QUOTED, T.STRING, "unterminated quoted string"),
            "`": (_RAW, T.RAW, "unterminated raw quoted string"),
            "'": (_CHARACTER, T.RUNE, "unterminated character constant"),
        }[quote]
        found = form.match(self.text, self.at)
        if found is None:
            raise _Stop(what)
        return self.token(kind, found.end())

    def dotted(self, kind: T, alone: T) -> Token:
        """A field or a variable."""
        found = _WORD.match(self.text, self.at + 1)
        end = self.at + 1 if found is None else found.end()
        self.ends(end)
        return self.token(alone if found is None else kind, end)

    def ends(self, at: int) -> None:
        """A word must end where something else may begin."""
        following = self.text[at : at + 1]
        if not following or following in " \t\r\n.,|:)(" or self.text.startswith("}}", at):
            return
        raise _Stop(f"bad character U+{ord(following):04X} '{following}'")

    def word(self) -> Token:
        found = _WORD.match(self.text, self.at)
        assert found is not None
        self.ends(found.end())
        word = found[0]
        kind = T.KEYWORD if word in _KEYWORDS else T.IDENTIFIER
        if word in {"true", "false"}:
            kind = T.BOOL
        if word == "nil":
            kind = T.NIL
        return self.token(kind, found.end())

    def number(self) -> Token:
        found = _NUMBER.match(self.text, self.at)
        assert found is not None
        end = found.end()
        following = self.text[end : end + 1]
        if following and (following in "_+-" or following.isalnum()):
            raise _Stop(f"bad number syntax: {quoted(self.text[self.at : end + 1])}")
        return self.token(T.NUMBER, end)
