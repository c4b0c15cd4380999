"""What the router remembers of its dead man's switch."""

from dataclasses import dataclass, field

import ormsgpack

from notifiers.alarms import Alarms

NAME = "out"


@dataclass(slots=True)
class SentHeartbeat:
    """When the next one is due, when a detector was heard; what is under way, by channel (ms).

    `sent` holds each delivery's id and when it was sent.
    """

    next_at: int
    heard: int
    sent: dict[int, tuple[str, int]] = field(default_factory=dict)


class SwitchBook:
    """The one switch there can be."""

    prefix = "switch"

    def __init__(self) -> None:
        self.known: SentHeartbeat | None = None
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, known: SentHeartbeat) -> None:
        """Know it, or that it changed."""
        self.known = known
        self.touched.add(NAME)
        self.alarms.set(NAME, known.next_at)

    def forget(self) -> None:
        """There is none."""
        if self.known is not None:
            self.known = None
            self.touched.add(NAME)
            self.alarms.set(NAME, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take the entry of the checkpoint."""
        next_at, heard, sent = ormsgpack.unpackb(entry)
        self.put(SentHeartbeat(next_at, heard, {i: (one, at) for i, one, at in sent}))
        self.touched.clear()

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        known = self.known
        if known is None:
            return None
        sent = [[index, one, at] for index, (one, at) in sorted(known.sent.items())]
        return ormsgpack.packb([known.next_at, known.heard, sent])
