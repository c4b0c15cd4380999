"""Go's times and durations, as templates of receivers use them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, cast

from notifiers.templating.layout import DAYS, MONTHS, Civil, formatted
from schemas.templates import numbers
from schemas.templates.errors import Unexpandable
from schemas.templates.running import STRING, Function, Parameter
from schemas.templates.values import Typed, Value

NANOSECONDS: Final = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = -62_135_596_800 * NANOSECONDS
"""January 1 of the year 1: Go's zero time."""
_LAST = 253_402_300_800 * NANOSECONDS
_LONGEST = 2**63 - 1


class Span(Typed, int):
    """A `time.Duration`, in nanoseconds."""

    __slots__ = ()
    go_type = "time.Duration"

    def member(self, name: str) -> Value:
        """A method."""
        if name in {"Round", "Truncate"}:
            rounds = name == "Round"
            return Function((DURATION,), lambda _, given: _cut(self, cast(int, given[0]), rounds))
        if name not in _OF_SPANS:
            raise Unexpandable(f"method {name} of {self.go_type} is not supported")
        return _OF_SPANS[name](self)

    def shown(self) -> str:
        """As Go writes it: `1h2m3.5s`."""
        return numbers.duration(int(self))


_OF_SPANS: Mapping[str, Callable[[Span], Value]] = {
    "String": Span.shown,
    "Seconds": lambda span: span / 1e9,
    "Minutes": lambda span: span / 6e10,
    "Hours": lambda span: span / 3.6e12,
    "Milliseconds": lambda span: int(span / 10**6),
    "Microseconds": lambda span: int(span / 1000),
    "Nanoseconds": int,
    "Abs": lambda span: Span(abs(span)),
}


def _cut(span: Span, unit: int, rounds: bool) -> Span:
    if unit <= 0:
        return span
    sign, size = (-1, -span) if span < 0 else (1, int(span))
    whole, rest = divmod(size, unit)
    return Span(sign * unit * (whole + (rounds and rest * 2 >= unit)))


class Month(Typed, int):
    """A `time.Month`."""

    __slots__ = ()
    go_type = "time.Month"

    def shown(self) -> str:
        """Its name."""
        return MONTHS[self - 1]

    def member(self, name: str) -> Value:
        """`String`."""
        return self.shown() if name == "String" else super().member(name)


class Weekday(Typed, int):
    """A `time.Weekday`."""

    __slots__ = ()
    go_type = "time.Weekday"

    def shown(self) -> str:
        """Its name."""
        return DAYS[self]

    def member(self, name: str) -> Value:
        """`String`."""
        return self.shown() if name == "String" else super().member(name)


@dataclass(frozen=True, slots=True)
class Moment(Typed):
    """A `time.Time`: nanoseconds since 1970, shown in a zone; None is the machine's own.

    `home` is the reader's zone, which `Local` is for.
    """

    go_type = "time.Time"
    nanoseconds: int
    zone: tzinfo | None = UTC
    home: tzinfo | None = UTC

    def member(self, name: str) -> Value:
        """A method."""
        if name in _OF_MOMENTS:
            return _OF_MOMENTS[name](self)
        if name in _PARTS:
            return _PARTS[name](self.civil())
        raise Unexpandable(f"method {name} of {self.go_type} is not supported")

    def shown(self) -> str:
        """As Go writes a time."""
        return self.formatted("2006-01-02 15:04:05.999999999 -0700 MST")

    def formatted(self, layout: str) -> str:
        """In one of Go's layouts."""
        return formatted(layout, self.civil())

    def moved(self, nanoseconds: int) -> "Moment":
        """Later by that much; raises Unexpandable outside of the years 1 to 9999."""
        moved = self.nanoseconds + nanoseconds
        if not _ZERO <= moved < _LAST:
            raise Unexpandable("time outside of the years 1 to 9999")
        return replace(self, nanoseconds=moved)

    def since(self, other: "Moment") -> Span:
        """The time from another moment to this one."""
        return Span(max(min(self.nanoseconds - other.nanoseconds, _LONGEST), -_LONGEST - 1))

    def civil(self) -> Civil:
        """By the calendar of its zone."""
        seconds, nanosecond = divmod(self.nanoseconds, NANOSECONDS)
        try:
            local = (_EPOCH + timedelta(seconds=seconds)).astimezone(self.zone)
        except OverflowError as fault:
            raise Unexpandable("time outside of the years 1 to 9999") from fault
        offset = local.utcoffset() or timedelta()
        return Civil(
            *(local.year, local.month, local.day),
            *(local.isoweekday() % 7, local.timetuple().tm_yday),
            *(local.hour, local.minute, local.second, nanosecond),
            *(int(offset.total_seconds()), local.tzname() or ""),
        )


def moment(milliseconds: int | None, home: tzinfo | None = UTC) -> Moment:
    """Milliseconds since 1970 in UTC; Go's zero time for none, and the bound where out of range."""
    if milliseconds is None:
        return Moment(_ZERO, home=home)
    return Moment(min(max(milliseconds * 10**6, _ZERO), _LAST - 1), home=home)


TIME: Final = Parameter(Moment.go_type)
DURATION: Final = Parameter(Span.go_type, whole=True)


def _of_time(apply: Callable[[Moment, Moment], Value]) -> Callable[[Moment], Value]:
    return lambda this: Function((TIME,), lambda _, given: apply(this, cast(Moment, given[0])))


_OF_MOMENTS: Mapping[str, Callable[[Moment], Value]] = {
    "String": Moment.shown,
    "Unix": lambda this: this.nanoseconds // NANOSECONDS,
    "UnixMilli": lambda this: this.nanoseconds // 10**6,
    "UnixNano": lambda this: this.nanoseconds,
    "UTC": lambda this: replace(this, zone=UTC),
    "Local": lambda this: replace(this, zone=this.home),
    "IsZero": lambda this: this.nanoseconds == _ZERO,
    "Format": lambda this: Function(
        (STRING,), lambda _, given: this.formatted(cast(str, given[0]))
    ),
    "Add": lambda this: Function((DURATION,), lambda _, given: this.moved(cast(int, given[0]))),
    "Sub": _of_time(Moment.since),
    "After": _of_time(lambda this, other: this.nanoseconds > other.nanoseconds),
    "Before": _of_time(lambda this, other: this.nanoseconds < other.nanoseconds),
    "Equal": _of_time(lambda this, other: this.nanoseconds == other.nanoseconds),
}
_PARTS: Mapping[str, Callable[[Civil], Value]] = {
    "Year": lambda civil: civil.year,
    "Month": lambda civil: Month(civil.month),
    "Day": lambda civil: civil.day,
    "Hour": lambda civil: civil.hour,
    "Minute": lambda civil: civil.minute,
    "Second": lambda civil: civil.second,
    "Nanosecond": lambda civil: civil.nanosecond,
    "Weekday": lambda civil: Weekday(civil.weekday),
    "YearDay": lambda civil: civil.year_day,
}
