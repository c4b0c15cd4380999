"""Alertmanager's UTF-8 grammar: names of any characters, in quotes where they need it.

matchers = ["{"] [matcher {"," matcher} [","]] ["}"]
matcher  = word ("=" | "!=" | "=~" | "!~") word
word     = any characters but space and {}!=~,\\"'` | a Go string in double quotes
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from notifiers.matcher import RESERVED, SPACES, Matcher, Operator

_WORD = f"[^{re.escape(''.join(sorted(RESERVED)))}]+"
_TOKEN = re.compile(
    rf"[{re.escape(SPACES)}]*(?:(?P<mark>[{{}},])|(?P<operator>=~|!=|!~|=)"
    rf'|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<plain>{_WORD})|(?P<end>\Z))',
    re.DOTALL,
)
_PIECE = re.compile(
    r'(?P<plain>[^\\"\n]+)|\\(?:(?P<short>[abfnrtv\\"])|x(?P<hex>[0-9a-fA-F]{2})'
    r"|(?P<octal>[0-3][0-7]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8}))"
)
_SHORT = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int

    @property
    def is_word(self) -> bool:
        return self.kind in ("plain", "quoted")

    def word(self) -> str:
        return _unquoted(self) if self.kind == "quoted" else self.text

    def unexpected(self, wanted: str) -> ValueError:
        found = "end of input" if self.kind == "end" else f"{self.text[:40]!r}"
        return ValueError(f"unexpected {found} at column {self.column}: expected {wanted}")


def parse_list(text: str) -> list[Matcher]:
    """The matchers in this text. Raises ValueError with the column of what is wrong."""
    tokens = _tokens(text)
    token = next(tokens)
    braced = token.text == "{" and token.kind == "mark"
    if braced:
        token = next(tokens)
    matchers: list[Matcher] = []
    wanted = "a label name"
    while token.is_word:
        matchers.append(_matcher(token, tokens))
        token, wanted = next(tokens), "a comma or close brace"
        if token.text != "," or token.kind != "mark":
            break
        token, wanted = next(tokens), "a matcher or close brace"
    if braced and token.kind == "mark" and token.text == "}":
        token, braced, wanted = next(tokens), False, "end of input"
    if braced or token.kind != "end":
        raise token.unexpected(wanted)
    return matchers


def parse_one(text: str) -> Matcher:
    """The one matcher in this text. Raises ValueError with a sentence for people."""
    matchers = parse_list(text)
    if len(matchers) != 1:
        raise ValueError(f"expected 1 matcher, found {len(matchers)}")
    return matchers[0]


def _matcher(name: _Token, tokens: Iterator[_Token]) -> Matcher:
    operator = next(tokens)
    if operator.kind != "operator":
        raise operator.unexpected("an operator such as '=', '!=', '=~' or '!~'")
    value = next(tokens)
    if not value.is_word:
        raise value.unexpected("a label value")
    return Matcher(name.word(), Operator(operator.text), value.word())


def _tokens(text: str) -> Iterator[_Token]:
    """The words and marks; the last is always the end, once more for each time it is asked."""
    place = 0
    while True:
        found = _TOKEN.match(text, place)
        if found is None:
            raise _unreadable(text, place)
        kind = found.lastgroup or "end"
        yield _Token(kind, found[kind], found.start(kind) + 1)
        place = found.end()


def _unreadable(text: str, place: int) -> ValueError:
    while text[place] in SPACES:
        place += 1
    if text[place] == '"':
        return ValueError(f"missing closing quote of {text[place:][:40]!r} at column {place + 1}")
    return ValueError(f"invalid input {text[place]!r} at column {place + 1}: quote the text")


def _unquoted(token: _Token) -> str:
    """Go's `strconv.Unquote`, where the bytes that come out must be UTF-8."""
    body, octets, place = token.text[1:-1], bytearray(), 0
    while place < len(body):
        found = _PIECE.match(body, place)
        if found is None:
            raise ValueError(
                f"invalid escape {body[place : place + 2]!r} in the text at column {token.column}"
                if body[place] == "\\"
                else f"a line feed in the text at column {token.column}: write \\n"
            )
        octets += _octets(found)
        place = found.end()
    try:
        return octets.decode()
    except UnicodeDecodeError as fault:
        raise ValueError(f"the text at column {token.column} is not UTF-8") from fault


def _octets(piece: re.Match[str]) -> bytes:
    kind = piece.lastgroup
    text = piece[kind or 0]
    match kind:
        case "plain":
            return text.encode(errors="replace")
        case "short":
            return _SHORT[text].encode()
        case "hex":
            return bytes([int(text, 16)])
        case "octal":
            return bytes([int(text, 8)])
        case _:
            return _character(int(text, 16))


def _character(code: int) -> bytes:
    try:
        return chr(code).encode()
    except (ValueError, OverflowError) as fault:
        raise ValueError(f"{code:#x} is no character") from fault
