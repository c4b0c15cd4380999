"""What a part of the router remembers under one prefix of its checkpoint, and when it wakes."""

from typing import Protocol

from notifiers.alarms import Alarms


class Book(Protocol):
    """Memory by name: restored from entries, written where it was touched.

    What is to be done when an alarm rings stands in `registry.RINGS`, under the book's prefix.
    """

    @property
    def prefix(self) -> str:
        """The first part of its keys in the checkpoint."""
        ...

    @property
    def touched(self) -> set[str]:
        """The names that a step changed; emptied once they are written."""
        ...

    @property
    def alarms(self) -> Alarms:
        """When something is due, by name."""
        ...

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint; sets its alarm, too."""
        ...

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint; None where the name is gone."""
        ...
