"""When a calendar or a repetition holds, as spans of instants (ms); pure.

Local times are read as `oncall.schedule.instant` reads them. On a day on which the clock changes
a calendar is asked minute by minute, so a span holds exactly what `TimeInterval.contains` says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge

from notifiers.oncall.schedule import DAY, instant
from notifiers.time_intervals import TimeInterval, zone

MINUTE = 60_000
HORIZON = 400 * DAY
"""How far ahead spans are looked for; whoever finds none looks again then."""
_NOON = timedelta(hours=12)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` until before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Repetition:
    """On these weekdays (0 is Sunday; none: each) from this local minute on, for `length` ms."""

    weekdays: tuple[int, ...]
    minute: int
    length: int
    location: str = "UTC"

    def spans(self, at: int) -> Iterator[Span]:
        """Those that end after this instant, in order of their start."""
        for day in _days(at - self.length, self.location, at + HORIZON):
            if self.weekdays and day.isoweekday() % 7 not in self.weekdays:
                continue
            start = instant(day + timedelta(minutes=self.minute), self.location)
            if start + self.length > at:
                yield Span(start, start + self.length)

    def contains(self, at: int) -> bool:
        """Whether this instant is in a span."""
        return any(span.start <= at for span in _first(self.spans(at)))


def calendar_spans(interval: TimeInterval, at: int) -> Iterator[Span]:
    """The spans of a calendar that end after this instant; a long one comes in pieces."""
    days = replace(interval, times=None)
    for day in _days(at, interval.location, at + HORIZON):
        begin, end = (
            instant(day, interval.location),
            instant(day + timedelta(days=1), interval.location),
        )
        if end <= at or not days.contains(instant(day + _NOON, interval.location)):
            continue
        found = _usual(interval, day) if end - begin == DAY else _by_minute(interval, begin, end)
        yield from (span for span in found if span.end > at)


def joined(parts: Iterable[Iterator[Span]], at: int) -> Iterator[Span]:
    """One row of spans: those that overlap or touch are one, none goes beyond the horizon."""
    last: Span | None = None
    for span in merge(*parts):
        if span.start >= at + HORIZON:
            break
        if last is None:
            last = span
        elif span.start <= last.end:
            last = Span(last.start, max(last.end, span.end))
        else:
            yield last
            last = span
    if last is not None:
        yield Span(last.start, min(last.end, at + HORIZON))


def _days(at: int, location: str, until: int) -> Iterator[datetime]:
    """Local midnights, from the day before that of `at`."""
    first = datetime.fromtimestamp(at // 1_000, zone(location))
    day = first.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    day -= timedelta(days=1)
    for _ in range((until - at) // DAY + 3):
        yield day
        day += timedelta(days=1)


def _usual(interval: TimeInterval, day: datetime) -> Iterator[Span]:
    for first, last in sorted(interval.times if interval.times is not None else ((0, 1_440),)):
        if first < last:
            yield Span(
                instant(day + timedelta(minutes=first), interval.location),
                instant(day + timedelta(minutes=last), interval.location),
            )


def _by_minute(interval: TimeInterval, begin: int, end: int) -> Iterator[Span]:
    for minute in range(begin, end, MINUTE):
        if interval.contains(minute):
            yield Span(minute, minute + MINUTE)


def _first(spans: Iterator[Span]) -> Iterator[Span]:
    for span in spans:
        yield span
        return
