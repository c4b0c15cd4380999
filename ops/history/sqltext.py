"""Reads just enough of a SQL text to tell an insert's data from its statement; no I/O."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

# What the engine's own lexer knows, as far as quoting goes: so that a word, a parenthesis or a
# semicolon inside quotes or comments is never taken for one of the statement's.
_TOKEN = re.compile(
    rb"""(?P<blank>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)
       | (?P<string>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
       | (?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
       | (?P<word>\w+)
       | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_ASSIGNED = re.compile(rb"\s+\w+\s*=")
_LONGEST_HEAD = 256 * 1024
"""ClickHouse's own max_query_size: an insert's statement ends before this."""


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT … FORMAT statement: its head up to SETTINGS or FORMAT, its own settings clause,
    the format, and where data starts."""

    head: str
    settings: str
    form: str
    data_at: int


def _words(sql: bytes) -> list[tuple[str, int, int]]:
    """Bare words outside parentheses, upper case, with where each starts and ends."""
    found, depth = [], 0
    for token in _TOKEN.finditer(sql):
        if token.lastgroup == "word" and depth == 0:
            found.append((token["word"].decode("latin-1").upper(), token.start(), token.end()))
        elif token.lastgroup == "mark":
            depth += (token["mark"] == b"(") - (token["mark"] == b")")
    return found


def _head_words(sql: bytes) -> list[tuple[str, int, int]]:
    """The words of an insert's statement, up to what ends it: its data are never scanned."""
    found, depth, after_format = [], 0, False
    for token in _TOKEN.finditer(sql[:_LONGEST_HEAD]):
        if token.lastgroup == "word" and depth == 0:
            word = token["word"].decode("latin-1").upper()
            found.append((word, token.start(), token.end()))
            if after_format or word in {"SELECT", "WITH", "VALUES", "WATCH"}:
                break
            after_format = word == "FORMAT"
        elif token.lastgroup == "mark":
            depth += (token["mark"] == b"(") - (token["mark"] == b")")
    return found


def first_word(sql: bytes) -> str:
    """The word a statement begins with, upper case; empty where it begins with none."""
    for token in _TOKEN.finditer(sql[:_LONGEST_HEAD]):
        if token.lastgroup == "word":
            return token["word"].decode("latin-1").upper()
        if token.lastgroup != "blank" and token["mark"] != b"(":
            return ""
    return ""


def split_insert(sql: bytes) -> Insert | None:
    """The parts of `INSERT … FORMAT name` with data after it; None for every other statement."""
    if first_word(sql) != "INSERT":
        return None
    words = _head_words(sql)
    if len(words) < 2 or words[-2][0] != "FORMAT":
        return None
    _, format_at, _ = words[-2]
    _, name_at, end = words[-1]
    # As ClickHouse reads it: blanks, then one line end belong to the statement, the rest is data.
    if ending := re.compile(rb";?[ \t\f]*\r?\n?").match(sql, end):
        end = ending.end()
    name = sql[name_at : words[-1][2]].decode("ascii", "replace")
    split = _settings_at(sql, words, format_at)
    settings = sql[split:format_at].decode("utf-8", "replace").strip()
    return Insert(sql[:split].decode("utf-8", "replace").strip(), settings, name, end)


def _settings_at(sql: bytes, words: Sequence[tuple[str, int, int]], end: int) -> int:
    """Where the clause SETTINGS name = value begins; a table may have that name too."""
    for word, at, after in words:
        if word == "SETTINGS" and _ASSIGNED.match(sql, after):
            return at
    return end


def output_format(sql: bytes) -> tuple[str, int] | None:
    """The output format that a statement names and where that clause starts, if it names one."""
    if b"format" not in sql.lower():
        return None
    words = _words(sql)
    for (word, at, _), (_, start, end) in zip(words[-2::-1], words[:0:-1], strict=True):
        if word == "FORMAT":
            return sql[start:end].decode("ascii", "replace"), at
    return None


def writes_a_file(sql: bytes) -> bool:
    """True for INTO OUTFILE and FROM INFILE, which the engine does on the server's own disk."""
    if b"file" not in sql.lower():
        return False
    words = [word for word, _, _ in _words(sql)]
    pairs = set(itertools.pairwise(words))
    return bool(pairs & {("INTO", "OUTFILE"), ("FROM", "INFILE")})


def bare_names(sql: bytes) -> frozenset[str]:
    """Every word and quoted name outside strings and comments, lower case."""
    names = set()
    for token in _TOKEN.finditer(sql):
        if token.lastgroup == "word":
            names.add(token["word"].decode("latin-1").lower())
        elif token.lastgroup == "quoted":
            names.add(token["quoted"][1:-1].decode("latin-1").lower())
    return frozenset(names)
