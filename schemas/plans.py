"""Plans and wake-ups: what a stage is told on its own input topic."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from schemas.event import Event, Figures, Milliseconds, Name, Text


class Plan(Event):
    """A piece of the validated rules or routes that a stage shall follow from here on.

    Pieces of one plan follow one another on a partition; the stage switches when it has all of
    them. `digest` is that of the whole content, which says whether anything changed. `home` is the
    partition where that is done which is done once for all, such as waiting for heartbeats.
    """

    KIND: ClassVar[str] = "plan"

    stage: Name
    number: int = Field(ge=1, le=2**53)
    digest: Name
    piece: int = Field(ge=0)
    pieces: int = Field(ge=1, le=4_096)
    content: bytes
    home: bool = True

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.piece >= self.pieces:
            raise ValueError(f"piece {self.piece} of {self.pieces}, counted from 0")
        return self


class WakeUp(Event):
    """A stage asked to be woken at `due`, and the log's clock has reached it."""

    KIND: ClassVar[str] = "wakeup"

    stage: Name
    due: Milliseconds


class Health(Event):
    """What a worker says of itself; figures by name."""

    KIND: ClassVar[str] = "health"

    worker: Name
    stage: Name
    at: Milliseconds
    healthy: bool
    message: Text = ""
    figures: Figures = {}
