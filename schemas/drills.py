"""What an operator asks the router to send: a fire drill, and a dead delivery once more."""

from typing import ClassVar

from schemas.event import Event, Milliseconds, Name, Text


class DrillAsked(Event):
    """A marked test shall go to every channel of a receiver, and expire at `expires_at`."""

    KIND: ClassVar[str] = "drill-asked"

    id: Name
    receiver: Name
    by: Text = ""
    expires_at: Milliseconds


class ResendAsked(Event):
    """A delivery that was given up shall be tried again, under its own id.

    `letter` names the dead letter that it was found in, `original` are the bytes of its message.
    """

    KIND: ClassVar[str] = "resend-asked"

    letter: Name
    original: bytes
    by: Text = ""
    expires_at: Milliseconds
