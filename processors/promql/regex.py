"""Go's regular expressions: RE2 itself, which is linear in pattern and text, behind typed doors.

Prometheus's matchers are anchored on both sides and `.` matches a newline. As in Prometheus, a
pattern that is a list of words, or words and `.*`, is told by comparing strings.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import re2

from processors.promql.errors import Refused
from schemas.templates.replacing import expansion, replaced

Test: TypeAlias = Callable[[str], bool]

LONGEST = 65_536
"""Characters of a pattern. Matching costs at most pattern times text."""
_MEMORY = 4 << 20
_REMEMBERED = 256
_WHOLE = re2._Anchor.ANCHOR_BOTH
_NOWHERE = (-1, -1)
_PLAIN = re.compile(r"(?:[^\\.+*?()|\[\]{}^$]|\\[^0-9A-Za-z])*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _options(*, captures: bool) -> Any:
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    options.dot_nl, options.never_capture = True, not captures
    return options


def _compiled(pattern: str, *, captures: bool) -> Any:
    if len(pattern) > LONGEST:
        raise Refused(f"regular expression of {len(pattern)} characters: more than {LONGEST}")
    try:
        return re2.compile(_bytes(pattern), _options(captures=captures))
    except re2.error as fault:
        reason = fault.args[0].decode(errors="replace") if fault.args else "unreadable"
        raise Refused(f"regular expression {pattern!r}: {reason}") from fault


def _bytes(text: str) -> bytes:
    # A lone surrogate has no UTF-8; RE2 takes what is no UTF-8 for one character, as Go does.
    return text.encode(errors="replace")


@lru_cache(maxsize=4_096)
def anchored(pattern: str) -> Test:
    """What tells whether a whole value matches; raises Refused.

    Rules share what they have in common: a program and its memory are not small.
    """
    program = _compiled(pattern, captures=False)
    return _words(pattern) or _Remembered(program).__getitem__


class _Remembered(dict[str, bool]):
    """RE2's verdicts by value: a label's values repeat from series to series."""

    def __init__(self, program: Any) -> None:
        super().__init__()
        # What the package's `fullmatch` asks; the match that it makes of the answer takes 3 us.
        self._match = program._regexp.Match

    def __missing__(self, value: str) -> bool:
        text = _bytes(value)
        found: bool = self._match(_WHOLE, text, 0, len(text))[0] != _NOWHERE
        if len(self) >= _REMEMBERED:
            self.clear()
        self[value] = found
        return found


def _words(pattern: str) -> Test | None:
    """The test of a pattern that is words, or one word with `.*` or `.+` around it."""
    if pattern.startswith("(") and pattern.endswith(")") and "(" not in pattern[1:]:
        pattern = pattern[1:-1].removeprefix("?:")
    alternatives = [_word(each) for each in pattern.split("|")]
    known = [word for word in alternatives if word is not None]
    if len(known) == len(alternatives):
        return frozenset(known).__contains__
    return _around(pattern)


def _around(pattern: str) -> Test | None:
    head, tail = pattern.startswith(".*"), pattern.endswith((".*", ".+"))
    least = 1 if tail and pattern.endswith("+") else 0
    word = _word(pattern[2 if head else 0 : -2 if tail else None])
    if word is None or len(pattern) < 2:
        return None
    if head and tail:
        return (lambda value: word in value) if not least else None
    if head:
        return lambda value: value.endswith(word)
    shortest = len(word) + least
    return lambda value: value.startswith(word) and len(value) >= shortest


def _word(text: str) -> str | None:
    """The one text that a pattern without operators matches."""
    return _ESCAPED.sub(r"\1", text) if _PLAIN.fullmatch(text) else None


class Rewriting:
    """`label_replace`'s pattern and its replacement, in which `$1` and `${name}` are groups."""

    def __init__(self, pattern: str, replacement: str) -> None:
        self._program = _compiled(f"^(?s:{pattern})$", captures=True)
        _compiled(pattern, captures=False)  # which `a)(b` is not, though the whole would be
        self._parts = list(expansion(replacement, self._program.groupindex))

    def rewritten(self, value: str) -> str | None:
        """The replacement, or nothing where the value does not match."""
        match = self._program.fullmatch(_bytes(value))
        if match is None:
            return None
        groups = (match.group(0), *match.groups(default=b""))
        found = (
            part if isinstance(part, bytes) else groups[part] if part < len(groups) else b""
            for part in self._parts
        )
        return b"".join(found).decode(errors="replace")


class Searching:
    """A pattern anywhere in a text, as templates use it: `.` matches no newline."""

    def __init__(self, pattern: str) -> None:
        _compiled(pattern, captures=False)
        self._program = _compiled(f"(?-s:{pattern})", captures=True)

    def found(self, text: str) -> bool:
        """Whether it matches somewhere."""
        return self._program.search(_bytes(text)) is not None

    def replaced(self, replacement: str, text: str) -> str:
        """Go's `ReplaceAllString`: no empty match directly after another match."""
        return replaced(self._program, replacement, text)
