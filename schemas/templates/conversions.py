"""Values made into others, as the functions of more than one set need it."""

from collections.abc import Callable

from schemas.templates import numbers
from schemas.templates.errors import Unexpandable
from schemas.templates.quoting import quoted
from schemas.templates.values import Html, Value, type_name


def as_float(value: Value) -> float:
    """A number, or a string that is one."""
    match value:
        case bool():
            pass
        case float() | int():
            return float(value)
        case str() if not isinstance(value, Html):
            try:
                return numbers.read(value)
            except ValueError as fault:
                reason = f"strconv.ParseFloat: parsing {quoted(value)}: {fault}"
                raise Unexpandable(reason) from fault
    raise Unexpandable(f"can't convert {type_name(value)} to float")


def _each(change: Callable[[str], str]) -> Callable[[str], str]:
    # Go changes rune by rune: what would become two letters stays.
    def changed(words: str) -> str:
        if words.isascii():
            return change(words)
        return "".join(new if len(new := change(rune)) == 1 else rune for rune in words)

    return changed


upper = _each(str.upper)
lower = _each(str.lower)
