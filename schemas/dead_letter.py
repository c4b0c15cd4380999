"""What could not be read or sent, with its original bytes and the reason."""

from typing import ClassVar

from schemas.errors import Reason
from schemas.event import Event, Milliseconds, Name, Text


class DeadLetter(Event):
    """A record that a stage put aside so that the partition moves on."""

    KIND: ClassVar[str] = "dead-letter"

    topic: Name
    partition: int
    offset: int
    stage: Name
    reason: Reason
    detail: Text = ""
    at: Milliseconds
    original: bytes
