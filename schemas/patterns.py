"""Which regular expressions Python's `re` may take exponential time for: they are not loaded."""

from re import _constants, _parser  # type: ignore[attr-defined]  # private, and without types
from typing import Any  # the parser's tree has no types

SLOW = "could take exponential time; write it without a repetition inside a repetition"
MOST = 10
"""Repetitions that are not counted as one: `([0-9a-f]{1,4}:){7}` is an address, and is fast."""

_REPEATS = {
    _constants.MAX_REPEAT,
    _constants.MIN_REPEAT,
    _constants.POSSESSIVE_REPEAT,
}


def refuse_slow(pattern: str, flags: int = 0) -> None:
    """Raises ValueError where a text can be split among the pattern's repetitions in many ways.

    Strict rather than clever: what is repeated may contain no part of variable length, and only
    alternatives that their first characters tell apart. The pattern is one that `re` compiles.
    """
    if _slow(_parser.parse(pattern, flags), repeated=False):
        raise ValueError(SLOW)


def _slow(tree: Any, *, repeated: bool) -> bool:
    return any(_slow_item(code, operand, repeated=repeated) for code, operand in tree)


def _slow_item(code: Any, operand: Any, *, repeated: bool) -> bool:
    if code in _REPEATS:
        least, most, body = operand
        return (repeated and least != most) or _slow(body, repeated=repeated or most > MOST)
    if code is _constants.BRANCH and repeated and not _told_apart(operand[1]):
        return True
    return any(_slow(body, repeated=repeated) for body in _bodies(operand))


def _told_apart(branches: Any) -> bool:
    """Whether each alternative begins with a letter of its own, upper or lower case."""
    heads: list[tuple[Any, Any]] = [
        tuple(branch[0]) if len(branch) else (None, 0) for branch in branches
    ]
    letters = {chr(head).casefold() for code, head in heads if code is _constants.LITERAL}
    return len(letters) == len(heads)


def _bodies(operand: Any) -> list[Any]:
    """The patterns inside an item of the tree: a group's, an assertion's, all of a choice's."""
    if isinstance(operand, _parser.SubPattern):
        return [operand]
    if isinstance(operand, (list, tuple)):
        return [body for part in operand for body in _bodies(part)]
    return []
