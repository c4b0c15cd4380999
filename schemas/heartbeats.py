"""What a job says of itself: the ping URLs of healthchecks.io, as events."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.event import Event, Name

MAX_PING_BODY = 10_000
"""Characters of what a job says; healthchecks.io keeps as much."""


class Signal(StrEnum):
    """What a ping says."""

    SUCCESS = "success"
    START = "start"
    FAIL = "fail"
    LOG = "log"


class Ping(Event):
    """A job was heard; the instant that counts is the record's append time.

    `run` tells runs of one job apart (`rid`), `exit_status` is what the job ended with, if it
    said so. The name is the heartbeat's: the id by which it is pinged is a secret.
    """

    KIND: ClassVar[str] = "ping"

    heartbeat: Name
    signal: Signal
    exit_status: Annotated[int, Field(ge=0, le=255)] | None = None
    run: Annotated[str, Field(max_length=100)] = ""
    body: Annotated[str, Field(max_length=MAX_PING_BODY)] = ""
