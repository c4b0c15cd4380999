"""All that a stage knows of what drives it: records in, outputs and state changes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

from schemas.envelope import DEFAULT_TENANT, Envelope
from schemas.event import Event


class Message(NamedTuple):
    """Bytes on their way to a topic; without `partition` the key chooses it."""

    topic: str
    key: str
    value: bytes
    partition: int | None = None


class Partition(NamedTuple):
    """One ordered sequence of records."""

    topic: str
    number: int


class Position(NamedTuple):
    """Where a message was appended, and when by the log's clock (ms)."""

    partition: Partition
    offset: int
    appended_at: int


class Record(NamedTuple):
    """Bytes as the log gives them back."""

    partition: Partition
    offset: int
    appended_at: int
    key: str
    value: bytes


class Gap(NamedTuple):
    """Offsets that retention took before they were read: [`first`, `resumed`)."""

    partition: Partition
    first: int
    resumed: int


class Publish(Protocol):
    """Appends to the log."""

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        """Append in order and answer once all are durable.

        Messages for one partition keep their order. Raises `TooLarge` before anything is
        appended, `LogAway` (or `LogFull`) when it is not known that all were appended: then the
        same messages may be published again.
        """
        ...


class Inbox(Protocol):
    """A member of a consumer group; each partition has one owner in a group at a time."""

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        """The next committed records, in offset order per partition; empty after `timeout` s."""
        ...

    def gaps(self) -> list[Gap]:
        """What was lost to retention since the last call."""
        ...

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Let the group go on at these offsets (that of the next record to read)."""
        ...

    def assigned(self) -> frozenset[Partition]:
        """What this member owns now."""
        ...

    def sure(self) -> bool:
        """Whether nobody else can own it by now: false for who slept, until the log said so."""
        ...

    def lag(self) -> Mapping[Partition, int]:
        """How many records are to come of each that is owned, where known; from any thread."""
        ...

    def close(self) -> None:
        """Leave the group without committing."""
        ...


@runtime_checkable
class Settle(Protocol):
    """What an inbox is, too, whose log appends and lets the group go on in one transaction."""

    def settle(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        """`Publish.publish` and `Inbox.commit`, both or neither, once both are durable.

        Messages are appended although a partition is another member's meanwhile, whose offset
        stays as it is. Raises `TooLarge`, and `LogAway` when it is not known that both were done:
        then the same may be settled again.
        """
        ...


class Received(NamedTuple):
    """A decoded record, as a stage sees it."""

    offset: int
    envelope: Envelope


class Output(NamedTuple):
    """A decision on its way out; `id` is derived from what it says."""

    topic: str
    key: str
    id: str
    event: Event
    tenant: str = DEFAULT_TENANT
    trace: str = ""


class StateChange(NamedTuple):
    """The new value under a key of a stage's state; None removes it."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a step came to.

    `counts` adds to the worker's counters, by event name. `reload` asks the runtime to commit and
    to load the stage anew, because its windows now reach for records it did not keep.
    """

    outputs: Sequence[Output] = ()
    changes: Sequence[StateChange] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    reload: bool = False


class Stage(Protocol):
    """A pure, deterministic fold over one partition.

    It reads no clock: `now` is the running maximum of append time. All records of a batch were
    appended at `now` (or, after a clock went back, before it); cutting a batch in two changes
    nothing. A state change carries what a replay needs to skip what it has seen.
    """

    name: str
    topic: str

    def restore(self, key: str, value: bytes) -> None:
        """Take one entry of the checkpoint, before anything else."""
        ...

    def begin_again(self) -> Sequence[StateChange]:
        """Offsets begin anew, in a topic that was made anew: forget which ones were seen.

        What is to be written so that a restart knows it, too: at once, with the first new offset.
        """
        ...

    def reach(self) -> int:
        """How far before `now` the windows begin, in ms; 0 if there are none to rebuild."""
        ...

    def rebuild(self, batch: Sequence[Received], now: int) -> None:
        """Fill windows from records that were decided on before; decide nothing."""
        ...

    def step(self, batch: Sequence[Received], now: int) -> Step:
        """Decide on these records."""
        ...

    def wake_at(self) -> int | None:
        """When, by the log's clock in ms, a record is wanted even if nothing else comes."""
        ...
