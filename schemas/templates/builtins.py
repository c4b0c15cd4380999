"""Go's own template functions: comparison, indexing, printing and escaping."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote_plus

from schemas.templates.errors import Unexpandable
from schemas.templates.printf import sprint, sprintf, sprintln
from schemas.templates.running import ANY, STRING, Function, State
from schemas.templates.values import Anything, Slice, Value, text, truth, type_name

_BAD_COMPARISON: Final = "invalid type for comparison"


def _kind(value: Value) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "string"
    return ""


def equal(first: Value, others: Sequence[Value]) -> bool:
    """`eq`: whether the first equals any of the others; types must fit."""
    if not others:
        raise Unexpandable("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(one: Value, other: Value) -> bool:
    kind, others = _kind(one), _kind(other)
    if kind != others:
        if one is not None and other is not None:
            raise Unexpandable(
                f"incompatible types for comparison: {type_name(one)} and {type_name(other)}"
            )
        return False
    if kind:
        return one == other
    if one is None or other is None:
        return one is other
    if isinstance(one, Mapping | Slice) or isinstance(other, Mapping | Slice):
        raise Unexpandable(f"non-comparable type {text(other)}: {type_name(other)}")
    return one == other


def less(one: Value, other: Value) -> bool:
    """`lt`: numbers of one type, or strings by their bytes."""
    kind, others = _kind(one), _kind(other)
    if not kind or not others:
        raise Unexpandable(_BAD_COMPARISON)
    if kind != others:
        raise Unexpandable(
            f"incompatible types for comparison: {type_name(one)} and {type_name(other)}"
        )
    if isinstance(one, bool):
        raise Unexpandable(_BAD_COMPARISON)
    if isinstance(one, str) and isinstance(other, str):
        return one.encode() < other.encode()
    assert isinstance(one, int | float)
    assert isinstance(other, int | float)
    return one < other


def _less_or_equal(one: Value, other: Value) -> bool:
    return less(one, other) or _same(one, other)


def length(value: Value) -> int:
    """`len`: bytes of a string, entries of what has some."""
    match value:
        case str():
            return len(value.encode())
        case Mapping() | Slice():
            return len(value)
        case None:
            raise Unexpandable("reflect: call of reflect.Value.Type on zero Value")
    raise Unexpandable(f"len of type {type_name(value).removeprefix('*')}")


def index(item: Value, places: Sequence[Value]) -> Value:
    """`index`: one level in for each place."""
    if item is None:
        raise Unexpandable("index of untyped nil")
    for place in places:
        item = _indexed(item, place)
    return item


def _indexed(item: Value, place: Value) -> Value:
    match item:
        case None:
            raise Unexpandable("index of nil pointer")
        case Mapping():
            if place is None:
                raise Unexpandable("value is nil; should be of type string")
            if not isinstance(place, str):
                raise Unexpandable(f"value has type {type_name(place)}; should be string")
            return item.get(place, None if isinstance(item, Anything) else "")
        case str():
            octets = item.encode()
            at = _place(place, len(octets))
            if at == len(octets):
                raise Unexpandable("reflect: string index out of range")
            return octets[at]
        case Slice():
            at = _place(place, len(item))
            if at == len(item):
                raise Unexpandable("reflect: slice index out of range")
            return item[at]
    raise Unexpandable(f"can't index item of type {type_name(item).removeprefix('*')}")


def _place(place: Value, size: int) -> int:
    if place is None:
        raise Unexpandable("cannot index slice/array with nil")
    if not isinstance(place, int) or isinstance(place, bool):
        raise Unexpandable(f"cannot index slice/array with type {type_name(place)}")
    if not 0 <= place <= size:
        raise Unexpandable(f"index out of range: {place}")
    return place


def sliced(item: Value, places: Sequence[Value]) -> Value:
    """`slice`: a part of a string or of a slice."""
    if item is None:
        raise Unexpandable("slice of untyped nil")
    if len(places) > 3:
        raise Unexpandable(f"too many slice indexes: {len(places)}")
    if not isinstance(item, str | Slice):
        raise Unexpandable(f"can't slice item of type {type_name(item).removeprefix('*')}")
    if isinstance(item, str) and len(places) == 3:
        raise Unexpandable("cannot 3-index slice a string")
    whole = item.encode() if isinstance(item, str) else item
    bounds = [0, len(whole), len(whole)]
    for number, place in enumerate(places):
        bounds[number] = _place(place, len(whole))
    start, end, last = bounds
    if start > end or end > last:
        wrong = (start, end) if start > end else (end, last)
        raise Unexpandable(f"invalid slice index: {wrong[0]} > {wrong[1]}")
    if isinstance(whole, bytes):
        return whole[start:end].decode(errors="replace")
    return type(whole)(whole[start:end])


def html(arguments: Sequence[Value]) -> str:
    """`html`: escaped for HTML."""
    shown = _joined(arguments)
    pairs = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;"))
    for plain, escaped in (*pairs, ("\0", "\ufffd")):
        shown = shown.replace(plain, escaped)
    return shown


def _joined(arguments: Sequence[Value]) -> str:
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return arguments[0]
    return sprint(arguments)


def _printf(_: State, given: Sequence[Value]) -> Value:
    form = given[0]
    assert isinstance(form, str)
    return sprintf(form, given[1:])


def _two(answer: Callable[[Value, Value], bool]) -> Function:
    return Function((ANY, ANY), lambda _, given: answer(given[0], given[1]))


BUILTINS: Mapping[str, Function] = {
    "eq": Function((ANY, ANY), lambda _, given: equal(given[0], given[1:]), variadic=True),
    "ne": _two(lambda one, other: not _same(one, other)),
    "lt": _two(less),
    "le": _two(_less_or_equal),
    "gt": _two(lambda one, other: not _less_or_equal(one, other)),
    "ge": _two(lambda one, other: not less(one, other)),
    "not": Function((ANY,), lambda _, given: not truth(given[0])),
    "len": Function((ANY,), lambda _, given: length(given[0])),
    "index": Function((ANY, ANY), lambda _, given: index(given[0], given[1:]), variadic=True),
    "slice": Function((ANY, ANY), lambda _, given: sliced(given[0], given[1:]), variadic=True),
    "print": Function((ANY,), lambda _, given: sprint(given), variadic=True),
    "println": Function((ANY,), lambda _, given: sprintln(given), variadic=True),
    "printf": Function((STRING, ANY), _printf, variadic=True),
    "html": Function((ANY,), lambda _, given: html(given), variadic=True),
    "urlquery": Function((ANY,), lambda _, given: quote_plus(_joined(given)), variadic=True),
}
"""By name; `and` and `or` are part of the tree, for they look no further than they must."""
