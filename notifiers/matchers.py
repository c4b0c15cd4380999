"""Label matchers in Alertmanager's grammars, by its three modes.

parse_matchers('{severity="critical", "team.name"=~"a|b"}')
"""

from collections.abc import Callable
from typing import TypeVar

from notifiers import matcher_classic, matcher_utf8
from notifiers.matcher import Matcher, Operator, in_order, written
from notifiers.matcher_mode import Mode

__all__ = [
    "Matcher",
    "Mode",
    "Operator",
    "in_order",
    "is_label_name",
    "parse_matcher",
    "parse_matchers",
    "written",
]
Read = TypeVar("Read")


def is_label_name(text: str, mode: Mode = Mode.CLASSIC) -> bool:
    """Whether this is a label name: any text but none, or a word without colon if CLASSIC."""
    if mode is not Mode.CLASSIC:
        return text != ""
    return text.isascii() and text.isidentifier()


def parse_matchers(text: str, mode: Mode = Mode.FALLBACK) -> list[Matcher]:
    """The matchers in `{a="b", c=~"d"}`; braces and the last comma may be missing.

    Raises ValueError with a sentence for people.
    """
    if mode is Mode.CLASSIC:
        return matcher_classic.parse_list(text)
    if mode is Mode.UTF8:
        return matcher_utf8.parse_list(text)
    return _fallback(text, matcher_classic.parse_list, matcher_utf8.parse_list)


def parse_matcher(text: str, mode: Mode = Mode.FALLBACK) -> Matcher:
    """The one matcher in `a="b"`, without braces unless CLASSIC.

    Raises ValueError with a sentence for people.
    """
    if mode is Mode.CLASSIC:
        return matcher_classic.parse_one(text)
    if text.startswith("{") or text.endswith("}"):
        raise ValueError(f"unexpected open or close brace: {text[:100]}")
    if mode is Mode.UTF8:
        return matcher_utf8.parse_one(text)
    return _fallback(text, matcher_classic.parse_one, matcher_utf8.parse_one)


def _fallback(text: str, classic: Callable[[str], Read], utf8: Callable[[str], Read]) -> Read:
    try:
        return classic(text)
    except ValueError as fault:
        try:
            return utf8(text)
        except ValueError as other:
            if str(other) == str(fault):
                raise
            raise ValueError(f"{fault} (in the UTF-8 grammar: {other})") from fault
