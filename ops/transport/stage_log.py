"""What a stage's driver asks of a log, whichever it is: read, and commit whole or not at all."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.errors import LogAway
from schemas.stage import Gap, Message, Partition, Position, Record, StateChange


class Clock(Protocol):
    """Milliseconds since 1970."""

    def __call__(self) -> int: ...


class Stale(LogAway):
    """What is committed may not be what the driver knows: it has to load the stage anew."""


class Fenced(LogAway):
    """Another worker may own the partition by now; wait, and find out, before claiming it again."""


@dataclass(frozen=True, slots=True)
class StageCommit:
    """What a stage came to, to be committed whole or not at all."""

    stage: str
    partition: Partition
    next: int
    outputs: Sequence[Message] = ()
    changes: Sequence[StateChange] = ()


class StageReader(Protocol):
    """Committed records and state; one thread at a time uses it."""

    anew: bool
    """Whether the topic was made anew since the stage's offset was written; after `committed`."""

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still there."""
        ...

    def end(self, partition: Partition) -> int:
        """The offset that the next record will have."""
        ...

    def caught_up(self, partition: Partition, offset: int) -> bool:
        """Whether nothing is committed from this offset on."""
        ...

    def read(
        self, partition: Partition, offset: int, limit: int = 500, size: int = 8 << 20
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, at most `limit`, and what retention took before them.

        Offsets may have holes: Kafka's transactions leave marks between the records.
        """
        ...

    def offset_at(self, partition: Partition, at: int) -> int:
        """The first offset appended at or after `at` (ms)."""
        ...

    def committed(self, group: str, partition: Partition) -> int | None:
        """Where a stage goes on, if it ever committed."""
        ...

    def state(self, stage: str, partition: int, prefix: str = "") -> list[tuple[str, bytes]]:
        """A stage's committed state, by key."""
        ...

    def close(self) -> None:
        """Let go of the log."""
        ...


class StageLog(Protocol):
    """One stage's way to its partition. Methods raise `LogAway` while the log does not answer."""

    @property
    def clock(self) -> Clock:
        """The log's clock, as far as this machine knows it, in ms."""
        ...

    def claim(self, stage: str, partition: Partition) -> None:
        """Become the only one whose commits count, before state and offset are read."""
        ...

    def reader(self) -> StageReader:
        """A reader of its own; the caller closes it."""
        ...

    def commit_stage(self, commit: StageCommit) -> list[Position]:
        """Append a stage's outputs, write its state and move its offset, all or nothing.

        After `LogAway` the very same commit is to be repeated: it is there once in the end. After
        `Stale` what the stage knows is outdated. The answer may be empty for a commit whose first
        answer was lost.
        """
        ...

    def listen(self, topics: Sequence[str]) -> threading.Event:
        """An event that is set when one of these topics may have grown."""
        ...

    def unlisten(self, event: threading.Event) -> None:
        """Set that event no more."""
        ...
