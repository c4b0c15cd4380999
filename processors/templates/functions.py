"""Prometheus's template functions."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Protocol, cast
from urllib.parse import quote_plus, urlsplit

from processors.templates import patterns
from processors.templates.values import (
    RESULT,
    SAMPLE,
    Duration,
    QueryResult,
    Sample,
    Time,
)
from schemas.templates import numbers
from schemas.templates.builtins import BUILTINS
from schemas.templates.conversions import as_float, lower, upper
from schemas.templates.errors import Unexpandable
from schemas.templates.quoting import quoted
from schemas.templates.running import ANY, STRING, Function, Parameter, State
from schemas.templates.values import Anything, Html, Value

_UNITS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_ORDER = ["ms", *reversed(_UNITS)]
_SPAN = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)


def to_time(value: Value) -> Time:
    """`toTime`: seconds since 1970 as a time, to the millisecond."""
    seconds = as_float(value)
    if not math.isfinite(seconds):
        raise Unexpandable("value is NaN or Inf")
    nanoseconds = seconds * 1e9
    if not -(2.0**63) <= nanoseconds <= 2.0**63:
        raise Unexpandable(
            f"{numbers.number(seconds)} cannot be represented as a nanoseconds timestamp "
            "since it overflows int64"
        )
    return Time(int(numbers.integer(nanoseconds) / 1_000_000))


def humanize_timestamp(value: Value) -> str:
    """`humanizeTimestamp`: seconds since 1970 as text."""
    seconds = as_float(value)
    return numbers.special(seconds) or to_time(seconds).shown()


def parse_duration(written: str) -> float:
    """`parseDuration`: Prometheus's `1h30m` in seconds; may be negative."""
    sign, bare = (-1.0, written[1:]) if written.startswith("-") else (1.0, written)
    if bare == "0":
        return 0.0
    found = _SPAN.fullmatch(bare)
    if not bare:
        raise Unexpandable("empty duration string")
    if found is None:
        raise Unexpandable(_not_a_duration(bare))
    *whole, milliseconds = (int(part or 0) for part in found.groups())
    seconds = sum(count * unit for count, unit in zip(whole, _UNITS.values(), strict=True))
    return sign * (seconds * 1000 + milliseconds) / 1000


def _not_a_duration(bare: str) -> str:
    """What Prometheus's own reader says, which goes from unit to unit."""
    left, last = bare, len(_ORDER)
    while left:
        found = re.match(r"([0-9]*)([^0-9]*)", left)
        assert found is not None
        if not found[1]:
            break
        if not found[2]:
            break
        if found[2] not in _ORDER:
            return f"unknown unit {quoted(found[2])} in duration {quoted(bare)}"
        if _ORDER.index(found[2]) >= last:
            break
        last = _ORDER.index(found[2])
        left = left[found.end() :]
    return f"not a valid duration string: {quoted(bare)}"


def titled(words: str) -> str:
    """`title`: words with a capital, the rest as it is."""
    return re.sub(r"(?<![\w'’.:])\d*[^\W\d_]", lambda found: found[0].upper(), words)


def split_host(address: str) -> tuple[str, str] | None:
    """Go's `net.SplitHostPort`: host and port, or nothing where it complains."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return None
    if host.startswith("["):
        if not host.endswith("]"):
            return None
        host = host[1:-1]
        return None if "[" in host or "]" in host else (host, port)
    return None if any(mark in host for mark in ":[]") or "]" in port else (host, port)


def strip_port(address: str) -> str:
    """`stripPort`: `web-1:9100` without its port."""
    found = split_host(address)
    return address if found is None else found[0]


def strip_domain(address: str) -> str:
    """`stripDomain`: `web-1.example.org:9100` without its domain."""
    host, port = split_host(address) or (address, "")
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return address
    host = host.partition(".")[0]
    if not port:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def link(expr: str, tab: int) -> str:
    """`graphLink` and `tableLink`."""
    return f"/graph?g0.expr={quote_plus(expr)}&g0.tab={tab}"


def _first(result: QueryResult | None) -> Value:
    if not result:
        raise Unexpandable("first() called on vector with no elements")
    return result[0]


def _by_label(name: str, result: QueryResult | None) -> QueryResult:
    samples = [each for each in result or () if isinstance(each, Sample)]
    samples.sort(key=lambda each: each.labels.get(name, ""))
    return QueryResult(samples)


class World(Protocol):
    """What functions may ask of the evaluation around them."""

    @property
    def now(self) -> float:
        """The evaluation's instant, in seconds."""
        ...

    @property
    def external_url(self) -> str:
        """Where people find this server."""
        ...

    def query(self, text: str) -> QueryResult:
        """What an expression is worth at the instant; raises Unexpandable."""
        ...


def _world(state: State) -> World:
    return cast(World, state.world)  # made by whoever expands, and only handed on by the language


def _there(sample: Sample | None) -> Sample:
    if sample is None:
        raise Unexpandable("runtime error: invalid memory address or nil pointer dereference")
    return sample


def _number(change: Callable[[float], str]) -> Function:
    return Function((ANY,), lambda _, given: change(as_float(given[0])))


def _texts(answer: Callable[..., Value], count: int = 1) -> Function:
    return Function((STRING,) * count, lambda _, given: answer(*given))


def _of_result(kinds: tuple[Parameter, ...], answer: Callable[..., Value]) -> Function:
    return Function(kinds, lambda _, given: answer(*given))


def _duration(_: State, given: Sequence[Value]) -> Value:
    return Duration(numbers.integer(as_float(given[0]) * 1e9))


FUNCTIONS: Mapping[str, Function] = {
    **BUILTINS,
    "query": Function((STRING,), lambda state, given: _world(state).query(str(given[0]))),
    "first": _of_result((RESULT,), _first),
    "label": _of_result((STRING, SAMPLE), lambda name, each: _there(each).labels.get(name, "")),
    "value": _of_result((SAMPLE,), lambda each: _there(each).value),
    "strvalue": _of_result((SAMPLE,), lambda each: _there(each).labels.get("__value__", "")),
    "sortByLabel": _of_result((STRING, RESULT), _by_label),
    "args": Function(
        (ANY,),
        lambda _, given: Anything({f"arg{i}": each for i, each in enumerate(given)}),
        variadic=True,
    ),
    "reReplaceAll": _texts(patterns.replaced, 3),
    "match": _texts(patterns.matches, 2),
    "safeHtml": _texts(Html),
    "title": _texts(titled),
    "toUpper": _texts(upper),
    "toLower": _texts(lower),
    "graphLink": _texts(lambda expr: link(expr, 0)),
    "tableLink": _texts(lambda expr: link(expr, 1)),
    "stripPort": _texts(strip_port),
    "stripDomain": _texts(strip_domain),
    "urlQueryEscape": _texts(quote_plus),
    "parseDuration": _texts(parse_duration),
    "humanize": _number(numbers.humanize),
    "humanize1024": _number(numbers.humanize1024),
    "humanizePercentage": _number(numbers.humanize_percentage),
    "humanizeDuration": _number(numbers.humanize_duration),
    "humanizeTimestamp": Function((ANY,), lambda _, given: humanize_timestamp(given[0])),
    "toTime": Function((ANY,), lambda _, given: to_time(given[0])),
    "toDuration": Function((ANY,), _duration),
    "now": Function((), lambda state, _: _world(state).now),
    "externalURL": Function((), lambda state, _: _world(state).external_url),
    "pathPrefix": Function((), lambda state, _: urlsplit(_world(state).external_url).path),
}
"""By name: all that templates may call, but `and` and `or`."""
