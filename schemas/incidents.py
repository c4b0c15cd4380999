"""What people do about an incident, and what became of it."""

from enum import StrEnum
from typing import ClassVar

from schemas.event import Event, LabelMap, Milliseconds, Name, Text, Whole


class IncidentAction(StrEnum):
    """What somebody does about an incident."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    SNOOZE = "snooze"
    RESOLVE = "resolve"
    NOTE = "note"
    FALSE_POSITIVE = "false positive"


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class What(StrEnum):
    """What a line of a timeline tells; the outcome of a delivery is told by its `Fate`."""

    OPENED = "opened"
    JOINED = "alerts joined"
    ENDED = "alerts resolved"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    UNACKNOWLEDGED = "unacknowledged"
    TIMED_OUT = "acknowledgement timed out"
    ESCALATED = "escalated"
    NOTE = "note"
    FALSE_POSITIVE = "false positive"
    RESOLVED = "resolved"


class IncidentCommand(Event):
    """Somebody does something about an incident.

    `until` is when an acknowledgement or a snooze ends by itself. None: after the configured
    `acknowledge_timeout` if there is one, else an acknowledgement never ends, and a snooze does
    after an hour.
    """

    KIND: ClassVar[str] = "incident-command"

    incident: Name
    action: IncidentAction
    by: Text
    note: Text = ""
    until: Milliseconds | None = None


class IncidentChanged(Event):
    """One line of an incident's timeline, and how the incident stands after it; for history.

    `number` counts the lines from 0. `what` is a `What`, a `Fate`, or another part's own word.
    `acknowledged_at` and `resolved_at` say how things stand, and are None again afterwards.
    """

    KIND: ClassVar[str] = "incident-changed"

    id: Name
    incident: Name
    number: Whole
    at: Milliseconds
    what: Name
    by: Text = ""
    detail: Text = ""
    state: IncidentState
    group_key: Text
    receiver: Name
    labels: LabelMap = {}
    opened_at: Milliseconds
    acknowledged_at: Milliseconds | None = None
    resolved_at: Milliseconds | None = None
    false_positive: bool = False
