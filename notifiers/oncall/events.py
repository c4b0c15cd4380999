"""Shifts that recur by a calendar's rules, asked for at an instant. Pure; instants in ms."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dateutil.rrule import rrule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_SLACK = timedelta(days=2)
"""Zones differ by a day at most, and a clock jumps by hours."""


@dataclass(frozen=True, slots=True)
class Series:
    """One event and its recurrences; `start` and `also` are on the wall's clock of `where`.

    `skipped` are instants in UTC at which a shift would begin and does not.
    """

    user: str
    start: datetime
    lasts: timedelta
    where: tzinfo
    rule: "rrule | None" = None
    also: tuple[datetime, ...] = ()
    skipped: frozenset[datetime] = frozenset()

    def shifts(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """From when to when, of every shift that has a part between these instants."""
        first = (_EPOCH + start * _MS).astimezone(self.where).replace(tzinfo=None)
        last = (_EPOCH + end * _MS).astimezone(self.where).replace(tzinfo=None)
        for local in self._begins(first - self.lasts - _SLACK, last + _SLACK):
            instant = local.replace(tzinfo=self.where).astimezone(UTC)
            if instant in self.skipped:
                continue
            begin = (instant - _EPOCH) // _MS
            over = (local + self.lasts).replace(tzinfo=self.where).astimezone(UTC)
            until = (over - _EPOCH) // _MS
            if begin < end and until > start:
                yield begin, until

    def _begins(self, first: datetime, last: datetime) -> Iterator[datetime]:
        found = {one for one in (self.start, *self.also) if first <= one <= last}
        if self.rule is not None:
            near = _near(self.rule, first.year, first.month)
            found.update(near.between(first, last, inc=True))
        yield from sorted(found)


@lru_cache(maxsize=16_384)
def _near(rule: "rrule", year: int, month: int) -> "rrule":
    """The same from that month on: the library walks every rule from its very start.

    Only what recurs by days or weeks comes often enough to matter, and has its phase from its start
    alone, so it may start any whole number of intervals later.
    """
    from dateutil.rrule import DAILY, WEEKLY

    days = {DAILY: 1, WEEKLY: 7}.get(rule._freq)
    if days is None or rule._count is not None:
        return rule
    step = timedelta(days=days * rule._interval)
    # One interval more: of the first one, what comes before the start is missing.
    later = (rule._dtstart.replace(year=year, month=month, day=1) - rule._dtstart) // step - 1
    return rule.replace(dtstart=rule._dtstart + later * step) if later > 0 else rule


@dataclass(frozen=True, slots=True)
class CalendarTurns:
    """The shifts of a calendar, in the order of the file."""

    series: tuple[Series, ...]

    def on_call(self, at: int) -> str | None:
        """Whose shift it is; of several the one that began last."""
        found = [
            (begin, number)
            for number, one in enumerate(self.series)
            for begin, until in one.shifts(at, at + 1)
            if begin <= at < until
        ]
        return self.series[max(found)[1]].user if found else None

    def edges(self, start: int, end: int) -> Iterator[int]:
        """Where a shift begins or ends, after `start` and before `end`."""
        times = {at for one in self.series for shift in one.shifts(start, end) for at in shift}
        yield from sorted(at for at in times if start < at < end)
