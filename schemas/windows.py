"""Maintenance windows: when alerts are held back by plan, and what opens and ends that."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.commands import SilenceMatcher
from schemas.event import Event, Milliseconds, Name, Text

Pairs = Annotated[
    tuple[
        tuple[
            Annotated[int, Field(ge=-9_999, le=9_999)], Annotated[int, Field(ge=-9_999, le=9_999)]
        ],
        ...,
    ],
    Field(max_length=100),
]
Length = Annotated[int, Field(gt=0, le=2**53)]
"""A length of time in ms."""


class Calendar(Event):
    """Alertmanager's time interval: ranges with both ends, None where a field was not given.

    `times` are minutes of the day, the end exclusive. `weekdays` count from 0, Sunday;
    `days_of_month` from 1, or from the end, which is -1; `months` from 1.
    """

    KIND: ClassVar[str] = "calendar"

    times: Pairs | None = None
    weekdays: Pairs | None = None
    days_of_month: Pairs | None = None
    months: Pairs | None = None
    years: Pairs | None = None
    location: Name = "UTC"


class Repeat(Event):
    """On these weekdays (0 is Sunday; none: every day) from this minute of the day for a while.

    The minute is of the clock on the wall there, the length (ms) is of real time.
    """

    KIND: ClassVar[str] = "repeat"

    weekdays: Annotated[tuple[Annotated[int, Field(ge=0, le=6)], ...], Field(max_length=7)] = ()
    minute: int = Field(ge=0, lt=1_440)
    length: Annotated[int, Field(gt=0, le=604_800_000)]
    location: Name = "UTC"


class WindowSet(Event):
    """A maintenance window is made or changed: whole, as it shall be from here on.

    While it holds, alerts that all matchers of one of the `sets` match page nobody. It holds from
    `starts_at` until before `ends_at` (None: never ends); with `calendars` or `repeats` only in
    those spans; with a `timeout` (ms) only from a `WindowOpened` to its `WindowClosed`, and never
    for longer. `remind_before` (ms) its expiry `remind_to`, a receiver, is told of it.
    """

    KIND: ClassVar[str] = "window"

    id: Name
    sets: Annotated[
        tuple[Annotated[tuple[SilenceMatcher, ...], Field(min_length=1, max_length=100)], ...],
        Field(min_length=1, max_length=100),
    ]
    owner: Text
    comment: Text
    starts_at: Milliseconds
    ends_at: Milliseconds | None = None
    calendars: Annotated[tuple[Calendar, ...], Field(max_length=20)] = ()
    repeats: Annotated[tuple[Repeat, ...], Field(max_length=20)] = ()
    service: Text = ""
    timeout: Length | None = None
    remind_before: Length | None = None
    remind_to: Text = ""


class WindowEnded(Event):
    """Somebody ends a window for good."""

    KIND: ClassVar[str] = "window-ended"

    id: Name
    by: Text = ""


class WindowOpened(Event):
    """A deploy begins: its window holds until it is closed, or `timeout` (ms) has passed."""

    KIND: ClassVar[str] = "window-opened"

    id: Name
    by: Text = ""
    timeout: Length | None = None


class WindowClosed(Event):
    """A deploy is through: its window holds no more."""

    KIND: ClassVar[str] = "window-closed"

    id: Name
    by: Text = ""
