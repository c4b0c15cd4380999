"""`match` and `reReplaceAll`: Go's regular expressions, each compiled once."""

from functools import lru_cache

from processors.promql.errors import Refused
from processors.promql.regex import Searching
from schemas.templates.errors import Unexpandable


@lru_cache(maxsize=1024)
def _searching(pattern: str) -> Searching:
    return Searching(pattern)


def _compiled(pattern: str) -> Searching:
    try:
        return _searching(pattern)
    except Refused as fault:
        raise Unexpandable(f"error parsing regexp: {fault}") from fault


def matches(pattern: str, text: str) -> bool:
    """`match`: whether a pattern matches anywhere."""
    return _compiled(pattern).found(text)


def replaced(pattern: str, replacement: str, text: str) -> str:
    """`reReplaceAll`: every match replaced; `$1` and `${name}` are groups."""
    return _compiled(pattern).replaced(replacement, text)
