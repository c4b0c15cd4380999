"""Go's regular expressions: RE2 itself, which is linear in pattern and text."""

import re
from functools import lru_cache
from typing import Any

import re2

LONGEST = 65_536
"""Characters of a pattern. Matching costs at most pattern times text."""
_MEMORY = 4 << 20
_REMEMBERED = 256
_ONLY_CPP = re.compile(r"(?<!\\)(?:\\\\)*\\C")


class Pattern:
    """An expression that a whole value must match; `.` matches no newline, as in Alertmanager."""

    __slots__ = ("_program", "_verdicts")

    def __init__(self, program: Any) -> None:
        self._program = program
        self._verdicts: dict[str, bool] = {}

    def matches(self, value: str) -> bool:
        """Whether it does; a label's values repeat, so the last verdicts are remembered."""
        found = self._verdicts.get(value)
        if found is None:
            # RE2 takes what is no UTF-8 for one character, as Go does.
            found = self._program.search(value.encode(errors="replace")) is not None
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            self._verdicts[value] = found
        return found


@lru_cache(maxsize=4_096)
def compiled(pattern: str) -> Pattern:
    """The expression, anchored at both ends by the text that Alertmanager puts around it.

    So `a)|(b` is one, and means what it means there. Raises ValueError for what RE2 refuses.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"the regular expression is longer than {LONGEST} characters")
    if _ONLY_CPP.search(pattern):
        raise ValueError(r"not a regular expression: invalid escape sequence: \C")
    options = re2.Options()
    options.max_mem, options.log_errors, options.never_capture = _MEMORY, False, True
    anchored = f"^(?:{pattern})$"
    try:
        return Pattern(re2.compile(anchored.encode(errors="replace"), options))
    except re2.error as fault:
        reason = fault.args[0].decode(errors="replace") if fault.args else "unreadable"
        reason = reason.replace(anchored, pattern)
        raise ValueError(f"not a regular expression: {reason}") from fault
