"""`match` and `reReplaceAll`: RE2 anywhere in a text, each expression compiled once."""

from functools import lru_cache
from typing import Any

import re2

from notifiers.regex import LONGEST
from schemas.templates.errors import Unexpandable
from schemas.templates.replacing import replaced

_MEMORY = 4 << 20


@lru_cache(maxsize=1024)
def _program(pattern: str) -> Any:
    if len(pattern) > LONGEST:
        raise Unexpandable(f"regular expression of more than {LONGEST} characters")
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    try:
        return re2.compile(pattern.encode(errors="replace"), options)
    except re2.error as fault:
        reason = fault.args[0].decode(errors="replace") if fault.args else "unreadable"
        raise Unexpandable(f"error parsing regexp: {reason}") from fault


def matches(pattern: str, text: str) -> bool:
    """`match`: whether a pattern matches anywhere."""
    return _program(pattern).search(text.encode(errors="replace")) is not None


def replace_all(pattern: str, replacement: str, text: str) -> str:
    """`reReplaceAll`: every match replaced; `$1` and `${name}` are groups."""
    return replaced(_program(pattern), replacement, text)
