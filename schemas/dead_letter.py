"""What could not be read or sent, with its original bytes and the reason."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from schemas.errors import Reason
from schemas.event import Event, Milliseconds, Name, Whole

MAX_LETTER_DETAIL = 4_096
"""Characters; what is longer is cut, for a letter and a whole message must fit one message."""


def _cut(detail: object) -> object:
    return detail[:MAX_LETTER_DETAIL] if isinstance(detail, str) else detail


class DeadLetter(Event):
    """A record that a stage put aside so that the partition moves on."""

    KIND: ClassVar[str] = "dead-letter"

    topic: Name
    partition: Whole
    offset: Whole
    stage: Name
    reason: Reason
    detail: Annotated[str, Field(max_length=MAX_LETTER_DETAIL), BeforeValidator(_cut)] = ""
    at: Milliseconds
    original: bytes
