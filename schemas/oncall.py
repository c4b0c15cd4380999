"""What people change about who is on call. It travels with the alerts, as all commands do."""

from typing import ClassVar

from schemas.event import Event, Milliseconds, Name, Text


class OverrideSet(Event):
    """Somebody takes over a schedule from `start` to `end`, the end exclusive.

    An override of the same `id` is replaced.
    """

    KIND: ClassVar[str] = "override"

    id: Name
    schedule: Name
    user: Name
    start: Milliseconds
    end: Milliseconds
    by: Text = ""


class OverrideEnded(Event):
    """An override is taken back: what of it is over stays as it was, the rest does not come."""

    KIND: ClassVar[str] = "override-ended"

    id: Name
    by: Text = ""
