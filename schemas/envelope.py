"""The envelope: who says it, when, under which id, and in which schema."""

from typing import NamedTuple

from schemas.event import Event

DEFAULT_TENANT = "default"


class Producer(NamedTuple):
    """Who sent it; within an epoch (one life of a producer) `sequence` counts up from 1.

    A stage that reads metrics recognises a repeated batch by the three of them.
    """

    name: str
    epoch: int = 0
    sequence: int = 0


class Envelope(NamedTuple):
    """An event and its covering letter; `sent_at` is stamped when sending, in ms since 1970."""

    id: str
    producer: Producer
    sent_at: int
    event: Event
    tenant: str = DEFAULT_TENANT
    trace: str = ""
