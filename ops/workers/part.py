"""What the frame of a worker asks of the part that it runs."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from ops.parts.shared import Shared
from ops.services import StageStatus
from ops.transport.log import Log


class Part(Protocol):
    """One part of the pipeline, from `start` to `join`; safe to ask from any thread.

    The figures of a status go into `/metrics` and into the worker's health events. Known names:
    `lag` (records to read), `lag:N` (of partition N), `watermark` (s since 1970), `plan` (the
    number in force); any other name is free.
    """

    @property
    def name(self) -> str:
        """The stage, as `tocsin NAME` starts it."""
        ...

    @property
    def broken(self) -> str:
        """Why it cannot go on, and what to do; empty while it can."""
        ...

    def start(self) -> None:
        """Begin; returns at once."""
        ...

    def ask_to_stop(self) -> None:
        """Let it end in good order: commit, leave the group; returns at once."""
        ...

    def join(self, timeout: float) -> bool:
        """Wait for its end; False when it has not come within `timeout` seconds."""
        ...

    def status(self) -> Sequence[StageStatus]:
        """How each of its stages is; answers at once, whatever Kafka does."""
        ...


@runtime_checkable
class Reloads(Protocol):
    """A part with files of its own."""

    def reload(self) -> None:
        """Read them anew; what is in force stays when they are wrong."""
        ...


Make = Callable[[Shared[Log]], Part]
"""Makes a part over a log that answers.

Raises `LogAway` to be called again, `Refused` where that would not help.
"""
