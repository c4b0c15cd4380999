"""What a check found."""

from enum import StrEnum
from typing import ClassVar

from schemas.event import Event, LabelMap, Milliseconds, Name, Seconds, Text


class CheckStatus(StrEnum):
    """The answer of one run of a check."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class CheckResult(Event):
    """One run of one check; `duration` is in seconds."""

    KIND: ClassVar[str] = "check"

    instance: Name
    check: Name
    target: Text
    status: CheckStatus
    at: Milliseconds
    duration: Seconds
    message: Text = ""
    labels: LabelMap = {}
