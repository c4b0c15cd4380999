"""Parents that are over and whose children still have time to be over, too."""

import ormsgpack

from notifiers.alarms import Alarms


class ParentBook:
    """By fingerprint: since when it fired, and until when its children wait (ms)."""

    prefix = "parent"

    def __init__(self) -> None:
        self.known: dict[str, tuple[int, int]] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, name: str, since: int, until: int) -> None:
        """This parent is over."""
        self.known[name] = (since, until)
        self.touched.add(name)
        self.alarms.set(name, until)

    def forget(self, name: str) -> None:
        """Its children wait for it no more."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(name, *ormsgpack.unpackb(entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        known = self.known.get(name)
        return None if known is None else ormsgpack.packb(known)
