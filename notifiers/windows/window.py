"""A maintenance window: what it hides and when; instants in ms, an end is exclusive."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from notifiers.matcher import Matcher, Operator
from notifiers.time_intervals import TimeInterval, zone
from notifiers.windows.spans import HORIZON, Repetition, Span, calendar_spans, joined
from schemas.windows import Calendar, Repeat, WindowSet

LATEST = 221_845_392_000_000
"""The year 9000: calendars end soon after it."""
LONGEST_DEPLOY = 86_400_000
"""How long (ms) a deploy may hold alerts back."""


class WindowKind(StrEnum):
    """What says when it holds."""

    ONCE = "once"
    RECURRING = "recurring"
    DEPLOY = "deploy"


class WindowState(StrEnum):
    """Where a window stands: it holds, it will, or it never will again."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Window:
    """What was set (see `schemas.windows.WindowSet`), and since when and how long it is open."""

    wish: WindowSet
    sets: tuple[tuple[Matcher, ...], ...]
    calendars: tuple[TimeInterval, ...]
    repeats: tuple[Repetition, ...]
    opened_at: int | None = None
    closes_at: int | None = None
    looked_at: int = 0
    """Up to when it is known whether it has ended; the router's alarms go on from there."""

    @property
    def id(self) -> str:
        """Its name."""
        return self.wish.id

    @property
    def kind(self) -> WindowKind:
        """What says when it holds."""
        if self.wish.timeout is not None:
            return WindowKind.DEPLOY
        return WindowKind.RECURRING if self.calendars or self.repeats else WindowKind.ONCE

    @property
    def cause(self) -> str:
        """What stands where it mutes an alert."""
        return f"window/{self.id}"

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it hides an alert with these labels, at whatever time."""
        return any(all(one.matches(labels) for one in matchers) for matchers in self.sets)

    def is_over(self, at: int) -> bool:
        """Whether it never holds again."""
        return self.wish.ends_at is not None and at >= self.wish.ends_at

    def holds(self, at: int) -> bool:
        """Whether it hides what it matches at this instant."""
        if at < self.wish.starts_at or self.is_over(at):
            return False
        match self.kind:
            case WindowKind.ONCE:
                return True
            case WindowKind.DEPLOY:
                opened, closes = self.opened_at, self.closes_at
                return opened is not None and closes is not None and opened <= at < closes
            case WindowKind.RECURRING:
                return any(one.contains(at) for one in self.calendars) or any(
                    one.contains(at) for one in self.repeats
                )

    def state_at(self, at: int) -> WindowState:
        """Where it stands."""
        if self.holds(at):
            return WindowState.ACTIVE
        return WindowState.EXPIRED if self.is_over(at) else WindowState.PENDING

    def spans(self, at: int) -> Iterator[Span]:
        """When it holds, from this instant on, in order; looked for up to the horizon."""
        start, end = self.wish.starts_at, self.wish.ends_at
        for span in joined(self._parts(max(at, start)), max(at, start)):
            if end is not None and span.start >= end:
                return
            clipped = Span(max(span.start, start), span.end if end is None else min(span.end, end))
            if clipped.end > at and clipped.end > clipped.start:
                yield clipped

    def next_spans(self, at: int, count: int) -> tuple[Span, ...]:
        """The first of them; of a deploy, which nobody can foretell, the one that is open."""
        return tuple(islice(self.spans(at), count))

    def changes_after(self, at: int) -> int:
        """The next instant at which it may begin or end to hold."""
        for span in self.spans(at):
            return span.start if span.start > at else span.end
        ends = self.wish.ends_at
        return at + HORIZON if ends is None or ends <= at else min(ends, at + HORIZON)

    @property
    def expires_at(self) -> int | None:
        """When it ends for good, or the open deploy at the latest; None: not by itself."""
        if self.kind is WindowKind.DEPLOY and self.closes_at is not None:
            return self.closes_at
        return self.wish.ends_at

    def ended(self, at: int) -> "Window":
        """The same, over from this instant on."""
        start = min(self.wish.starts_at, at)
        return replace(self, wish=self.wish.model_copy(update={"starts_at": start, "ends_at": at}))

    def _parts(self, at: int) -> list[Iterator[Span]]:
        match self.kind:
            case WindowKind.ONCE:
                end = self.wish.ends_at
                return [iter((Span(at, at + HORIZON if end is None else end),))]
            case WindowKind.DEPLOY:
                if self.opened_at is None or self.closes_at is None:
                    return []
                return [iter((Span(self.opened_at, self.closes_at),))]
            case WindowKind.RECURRING:
                return [
                    *(calendar_spans(one, at) for one in self.calendars),
                    *(one.spans(at) for one in self.repeats),
                ]


def window_of(wish: WindowSet) -> Window:
    """The window that a command describes. Raises ValueError for one that cannot be."""
    window = restored(wish)
    recurs = bool(window.calendars or window.repeats)
    if wish.timeout is not None and recurs:
        raise ValueError("a deploy's window has no calendar")
    if wish.ends_at is None and wish.timeout is None and not recurs:
        raise ValueError("a window that comes once has an end")
    if wish.timeout is not None and wish.timeout > LONGEST_DEPLOY:
        raise ValueError("a deploy's window closes after 24h at the latest")
    if not (0 <= wish.starts_at <= LATEST and 0 <= (wish.ends_at or 0) <= LATEST):
        raise ValueError("a start and an end are wanted between the years 1970 and 9000")
    if wish.ends_at is not None and wish.ends_at <= wish.starts_at:
        raise ValueError("the end is not after the start")
    return window


def restored(wish: WindowSet) -> Window:
    """The same of what was checked once: one that was ended before it began is fine."""
    sets = tuple(
        tuple(Matcher(one.name, Operator(one.operator), one.value) for one in matchers)
        for matchers in wish.sets
    )
    calendars = tuple(_calendar(one) for one in wish.calendars)
    return Window(wish, sets, calendars, tuple(_repetition(one) for one in wish.repeats))


def _calendar(found: Calendar) -> TimeInterval:
    zone(found.location)
    return TimeInterval(
        *(found.times, found.weekdays, found.days_of_month, found.months, found.years),
        location=found.location,
    )


def _repetition(found: Repeat) -> Repetition:
    zone(found.location)
    return Repetition(found.weekdays, found.minute, found.length, found.location)
