"""A schedule: layers of rotations, and overrides on top. Pure; instants in ms since the epoch.

    schedule.on_call(at) -> ("ada", "weekly")        who, and by which layer; None is a gap
    schedule.shifts(start, end) -> [Shift, …]        without holes: a gap is a shift of nobody

A hand-over is at a time of the clock on the wall: a rotation of whole days changes at the same
local time in winter and in summer, so one shift a year is an hour longer and one an hour shorter.
A rotation of hours that are no whole days counts real hours. Of layers the last one in the list
that has somebody wins; an override wins over all layers, and of two the later one in the list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from notifiers.time_intervals import TimeInterval, zone

DAY = 86_400_000
HOUR = 3_600_000
OVERRIDE = "override"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rotation:
    """People in turn. `every` in ms; `start` is the first hand-over, local and without a zone."""

    users: tuple[str, ...]
    every: int
    start: datetime
    location: str = "UTC"

    def turn(self, at: int) -> int | None:
        """Which shift this instant is in, counted from 0; None before the first."""
        first = self.handed_over(0)
        if at < first:
            return None
        number = (at - first) // self.every
        # Summer time moves a hand-over by some hours at most, so the neighbours are enough.
        for guess in (number + 1, number, number - 1):
            if guess >= 0 and self.handed_over(guess) <= at:
                return guess
        return number

    def handed_over(self, number: int) -> int:
        """When this shift begins."""
        if self.every % DAY:
            return instant(self.start, self.location) + number * self.every
        return instant(self.start + number * timedelta(milliseconds=self.every), self.location)

    def on_call(self, at: int) -> str | None:
        """Whose turn it is."""
        number = self.turn(at)
        return None if number is None else self.users[number % len(self.users)]

    def edges(self, start: int, end: int) -> Iterator[int]:
        """The hand-overs after `start` and before `end`."""
        number = max((self.turn(start) or 0) - 1, 0)
        while (at := self.handed_over(number)) < end:
            if at > start:
                yield at
            number += 1


class Turns(Protocol):
    """Where a layer's people come from: a rotation, or somebody else's calendar."""

    def on_call(self, at: int) -> str | None:
        """Who has it at this instant."""
        ...

    def edges(self, start: int, end: int) -> Iterator[int]:
        """Every instant after `start` and before `end` at which that may change."""
        ...


@dataclass(frozen=True, slots=True)
class Layer:
    """People in turn, in these parts of the calendar only; without any, always."""

    name: str
    rotation: Turns
    during: tuple[TimeInterval, ...] = ()

    def on_call(self, at: int) -> str | None:
        """Whom this layer has at this instant."""
        if self.during and not any(interval.contains(at) for interval in self.during):
            return None
        return self.rotation.on_call(at)

    def edges(self, start: int, end: int) -> Iterator[int]:
        """Instants after `start` and before `end` at which this layer may change."""
        yield from self.rotation.edges(start, end)
        for interval in self.during:
            yield from (at for at in _edges(interval, start, end) if start < at < end)


@dataclass(frozen=True, slots=True)
class Override:
    """One person from `start` to `end`, the end exclusive, whatever the layers say."""

    user: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody, or nobody, from `start` to `end`, the end exclusive; `by` names the layer."""

    start: int
    end: int
    user: str | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Layers from the lowest to the highest, and overrides above them."""

    name: str
    location: str = "UTC"
    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()

    def on_call(self, at: int) -> tuple[str, str] | None:
        """Who has it at this instant, and by which layer; None if nobody does."""
        for override in reversed(self.overrides):
            if override.start <= at < override.end:
                return override.user, OVERRIDE
        for layer in reversed(self.layers):
            if (user := layer.on_call(at)) is not None:
                return user, layer.name
        return None

    def shifts(self, start: int, end: int) -> list[Shift]:
        """All shifts from `start` to `end`, in order; neighbours differ in person or layer."""
        edges = {start, end}
        for override in self.overrides:
            edges.update(at for at in (override.start, override.end) if start < at < end)
        for layer in self.layers:
            edges.update(layer.edges(start, end))
        instants = sorted(edges)
        found: list[Shift] = []
        for begin, until in pairwise(instants):
            user, by = self.on_call(begin) or (None, "")
            if found and (found[-1].user, found[-1].by) == (user, by):
                found[-1] = Shift(found[-1].start, until, user, by)
            else:
                found.append(Shift(begin, until, user, by))
        return found

    def gaps(self, start: int, end: int) -> list[Shift]:
        """Where nobody is on call."""
        return [shift for shift in self.shifts(start, end) if shift.user is None]


def instant(local: datetime, location: str) -> int:
    """The instant of a local time, in ms since the epoch.

    Of a time that comes twice it is the first; one that is skipped is read with the offset before
    the hole, so it is as long after the hole's beginning as it would have been (PEP 495, fold 0).
    """
    where = zone(location)
    moment = local.replace(tzinfo=where) if where is not None else local.astimezone()
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _edges(interval: TimeInterval, start: int, end: int) -> Iterator[int]:
    """Instants at which the interval may begin or end: its times of day, and each midnight."""
    minutes = {0, *(minute for pair in interval.times or () for minute in pair)}
    where = zone(interval.location)
    first = datetime.fromtimestamp(start // 1_000, where if where is not None else None)
    day = first.replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    while instant(day, interval.location) < end + DAY:
        for minute in sorted(minutes):
            yield instant(day + timedelta(minutes=minute), interval.location)
        if isinstance(where, ZoneInfo):
            yield from _clock_changes(day, interval.location)
        day += timedelta(days=1)


def _clock_changes(day: datetime, location: str) -> Iterator[int]:
    """Where the clock jumps on this day, to a quarter of an hour: an interval may begin there."""
    begin = instant(day, location)
    if instant(day + timedelta(days=1), location) - begin != DAY:
        yield from range(begin, begin + DAY + 2 * HOUR, HOUR // 4)
