"""Commands: what an operator does. They travel with the alerts, so the router reads one order."""

from typing import Annotated, ClassVar, Literal

from pydantic import FailFast, Field

from schemas.event import Event, LabelMap, Milliseconds, Name, Text


class SilenceMatcher(Event):
    """One condition on one label; `operator` is =, !=, =~ or !~."""

    KIND: ClassVar[str] = "matcher"

    name: Name
    operator: Literal["=", "!=", "=~", "!~"]
    value: Text


class SilenceSet(Event):
    """A silence is made or changed: whole, as it shall be from here on.

    An alert is silenced if all matchers of one of the `sets` match it. Whoever sends the command
    chose the `id` and has checked Alertmanager's edit rules against what it knew; the router
    checks them again, because its input is the order that counts.
    """

    KIND: ClassVar[str] = "silence"

    id: Name
    sets: Annotated[
        tuple[Annotated[tuple[SilenceMatcher, ...], Field(min_length=1, max_length=100)], ...],
        FailFast(),
        Field(min_length=1, max_length=100),
    ]
    starts_at: Milliseconds
    ends_at: Milliseconds
    created_by: Text
    comment: Text
    annotations: LabelMap = {}


class SilenceExpired(Event):
    """An operator ends a silence now."""

    KIND: ClassVar[str] = "silence-expired"

    id: Name
    by: Text = ""
