"""Alertmanager's template functions."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast
from urllib.parse import unquote_plus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from notifiers.templating import parsing, patterns
from notifiers.templating.as_json import to_json
from notifiers.templating.data import STRINGS, PlainStrings
from notifiers.templating.times import TIME, Moment, Span
from schemas.templates import numbers
from schemas.templates.builtins import BUILTINS
from schemas.templates.conversions import as_float, lower, upper
from schemas.templates.errors import Unexpandable
from schemas.templates.quoting import quoted
from schemas.templates.running import ANY, STRING, Function, Parameter, State
from schemas.templates.values import Anything, Html, Slice, Typed, Value, text

_SPACES = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)
_WORD = re.compile(r"\w+(?:['’.:]\w+)*")
_LIST = Parameter("[]interface {}", nilable=True)


class Url(Typed, str):
    """Text that `safeUrl` marked: a type of its own in Go."""

    __slots__ = ()
    go_type = "template.URL"

    def shown(self) -> str:
        """The text."""
        return str(self)


def titled(words: str) -> str:
    """`title`: every word with a capital, the rest of it in small letters."""
    return _WORD.sub(lambda found: found[0][0].title() + found[0][1:].lower(), words)


def unescaped(escaped: str) -> str:
    """`urlUnescape`: Go's `QueryUnescape`."""
    wrong = _BAD_ESCAPE.search(escaped)
    if wrong is not None:
        raise Unexpandable(f"invalid URL escape {quoted(wrong[0])}")
    return unquote_plus(escaped, errors="replace")


def _zoned(name: Value, moment: Value) -> Value:
    found = cast(Moment, moment)
    if name == "Local":
        return replace(found, zone=found.home)
    zone = str(name) or "UTC"
    try:
        return replace(found, zone=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise Unexpandable(f"unknown time zone {zone}") from fault


def humanized(value: Value) -> str:
    """`humanizeDuration`: seconds, or a duration."""
    seconds = value / 1e9 if isinstance(value, Span) else as_float(value)
    return numbers.humanize_duration(seconds)


def _decoded(encoded: str) -> str:
    try:
        octets = base64.b64decode(encoded.replace("\n", "").replace("\r", ""), b"-_", validate=True)
    except binascii.Error as fault:
        raise Unexpandable("illegal base64 data") from fault
    return octets.decode(errors="replace")


def _encoded(plain: str) -> str:
    return base64.urlsafe_b64encode(plain.encode(errors="replace")).decode()


def _dictionary(given: Sequence[Value]) -> Anything:
    if len(given) % 2:
        raise Unexpandable("dict requires an even number of arguments")
    if not all(isinstance(name, str) and not isinstance(name, Typed) for name in given[::2]):
        raise Unexpandable("dict keys must be strings")
    return Anything(zip(map(str, given[::2]), given[1::2], strict=True))


def _now(state: State) -> Moment:
    assert isinstance(state.world, Moment)
    return state.world


def _texts(answer: Callable[..., Value], count: int = 1) -> Function:
    return Function((STRING,) * count, lambda _, given: answer(*given))


def _of(kinds: tuple[Parameter, ...], answer: Callable[..., Value]) -> Function:
    return Function(kinds, lambda _, given: answer(*given))


FUNCTIONS: Mapping[str, Function] = {
    **BUILTINS,
    "toUpper": _texts(upper),
    "toLower": _texts(lower),
    "title": _texts(titled),
    "trimSpace": _texts(lambda words: words.strip(_SPACES)),
    "join": _of((STRING, STRINGS), lambda between, words: between.join(words or ())),
    "match": _texts(patterns.matches, 2),
    "safeHtml": _texts(Html),
    "safeUrl": _texts(Url),
    "urlUnescape": _texts(unescaped),
    "reReplaceAll": _texts(patterns.replace_all, 3),
    "stringSlice": Function((STRING,), lambda _, given: PlainStrings(given), variadic=True),
    # Of a label that there is not Alertmanager makes no text; `Templates` knows what there is.
    "routeLabels": _texts(lambda name: ""),
    "date": _of((STRING, TIME), lambda layout, moment: moment.formatted(layout)),
    "tz": _of((STRING, TIME), _zoned),
    "now": Function((), lambda state, _: _now(state)),
    "since": Function((TIME,), lambda state, given: _now(state).since(cast(Moment, given[0]))),
    "humanizeDuration": _of((ANY,), humanized),
    "toDate": _texts(parsing.read_or_zero, 2),
    "mustToDate": _texts(parsing.read, 2),
    "toJson": _of((ANY,), to_json),
    "base64encode": _texts(_encoded),
    "base64decode": _texts(_decoded),
    "list": Function((ANY,), lambda _, given: Slice(given), variadic=True),
    "append": Function(
        (_LIST, ANY), lambda _, given: Slice([*cast(Slice, given[0] or ()), *given[1:]]), True
    ),
    "dict": Function((ANY,), lambda _, given: _dictionary(given), variadic=True),
}
"""By name: all that templates may call, but `and` and `or`."""


def escaped(value: Value) -> str:
    """A value as an HTML template writes it: escaped, unless `safeHtml` marked it."""
    if value is None:
        return ""
    if isinstance(value, Html):
        return value.shown()
    shown = text(value)
    for plain, entity in _ENTITIES:
        shown = shown.replace(plain, entity)
    return shown


_ENTITIES = (
    *(("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")),
    *(("+", "&#43;"), ("\0", "\ufffd")),
)


def _html(state: State, given: Sequence[Value]) -> Value:
    return Html(BUILTINS["html"].apply(state, given))


HTML_FUNCTIONS: Mapping[str, Function] = {
    **FUNCTIONS,
    # What `html` has escaped is not escaped once more.
    "html": Function((ANY,), _html, variadic=True),
}
