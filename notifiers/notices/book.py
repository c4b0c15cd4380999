"""The notices that are on their way."""

from dataclasses import dataclass, field

import ormsgpack

from notifiers.alarms import Alarms


@dataclass(slots=True)
class Notice:
    """One message to one channel of a receiver, until its fate is known; instants in ms.

    `labels` and `text` are what it says; `wake` is when to send it again, or to give it up.
    """

    id: str
    receiver: str
    kind: str
    index: int
    why: str
    text: str
    labels: dict[str, str]
    at: int
    expires_at: int
    wake: int
    attempt: int = 1

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *(self.receiver, self.kind, self.index, self.why, self.text, self.labels),
                *(self.at, self.expires_at, self.wake, self.attempt),
            ]
        )


@dataclass
class NoticeBook:
    """Notices by the id of their delivery."""

    prefix: str = "notice"
    known: dict[str, Notice] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    alarms: Alarms = field(default_factory=Alarms)

    def put(self, notice: Notice) -> None:
        """Know this notice, or that it changed."""
        self.known[notice.id] = notice
        self.touched.add(notice.id)
        self.alarms.set(notice.id, notice.wake)

    def forget(self, name: str) -> None:
        """Nothing of it is awaited any more."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(Notice(name, *ormsgpack.unpackb(entry)))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        notice = self.known.get(name)
        return None if notice is None else notice.packed()
