"""The envelope: who says it, when, under which id, and in which schema."""

from dataclasses import dataclass

from schemas.event import Event

DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Producer:
    """Who sent it; within an epoch (one life of a producer) `sequence` counts up from 1.

    A stage that reads metrics recognises a repeated batch by the three of them.
    """

    name: str
    epoch: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event and its covering letter; `sent_at` is stamped when sending, in ms since 1970."""

    id: str
    producer: Producer
    sent_at: int
    event: Event
    tenant: str = DEFAULT_TENANT
    trace: str = ""
