"""What people do about an incident, and what became of it."""

from enum import StrEnum
from typing import ClassVar

from schemas.event import Event, Milliseconds, Name, Text


class IncidentAction(StrEnum):
    """What somebody does about an incident."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    SNOOZE = "snooze"
    RESOLVE = "resolve"
    NOTE = "note"
    FALSE_POSITIVE = "false positive"


class IncidentCommand(Event):
    """Somebody does something about an incident.

    `until` is when an acknowledgement ends by itself (None: never), and when a snooze ends.
    """

    KIND: ClassVar[str] = "incident-command"

    incident: Name
    action: IncidentAction
    by: Text
    note: Text = ""
    until: Milliseconds | None = None
