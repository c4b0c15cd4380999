"""Go's regular expressions (RE2) on Python's `re`: what both mean alike; the rest is refused."""

import re
import warnings
from functools import lru_cache

from schemas.patterns import refuse_slow

_NOT_RE2 = re.compile(r"\(\?(?:=|!|<=|<!|P=|\(|#|>)|(?<!\\)(?:\\\\)*\\[1-9Z]|[*+?}]\+")
_CLASSES = {
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:blank:]": r"\t ",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:space:]": r"\t\n\v\f\r ",
    "[:upper:]": "A-Z",
    "[:word:]": "0-9A-Za-z_",
    "[:xdigit:]": "0-9A-Fa-f",
}


@lru_cache(maxsize=4_096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The expression, to be used with `fullmatch` (Alertmanager anchors it at both ends).

    Raises ValueError for what Go refuses, or Python would read in another way or not in time.
    """
    if len(pattern) > 4_096:
        raise ValueError("the regular expression is longer than 4096 characters")
    if (odd := _NOT_RE2.search(pattern)) is not None:
        raise ValueError(f"the regular expression uses {odd.group()!r}, which RE2 does not have")
    python = pattern.replace(r"\z", r"\Z")
    for name, members in _CLASSES.items():
        python = python.replace(name, members)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = re.compile(python, re.ASCII)
    except (re.error, Warning, OverflowError, RecursionError) as fault:
        raise ValueError(f"not a regular expression: {fault}") from fault
    try:
        refuse_slow(python, re.ASCII)
    except (ValueError, RecursionError) as fault:
        raise ValueError(f"the regular expression {pattern!r}: {fault}") from fault
    return found
