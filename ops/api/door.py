"""The way of what is posted into the log, and when the router has taken it in."""

import threading
from collections.abc import Sequence
from typing import Final

from ops.api.alertmanager_refusal import Denied
from ops.services import Services
from schemas.errors import LogAway, TooLarge
from schemas.stage import Message, Partition, Position

WITHIN: Final = 5.0
"""Seconds that the router has to take in what was posted."""


class Door:
    """Appends, and knows up to where what came through here has to be seen by who asks next."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last: dict[Partition, Position] = {}
        self._lock = threading.Lock()

    def publish(self, messages: list[Message]) -> None:
        """Append, durably, before this returns. Raises `Denied`."""
        if not messages:
            return
        try:
            positions = self._services.publish.publish(messages)
        except TooLarge as fault:
            raise Denied(400, str(fault)) from fault
        except LogAway as fault:
            raise Denied(503, str(fault) or "the log does not answer") from fault
        self.note(positions)

    def note(self, positions: Sequence[Position]) -> None:
        """This was appended elsewhere, and has to be seen all the same."""
        with self._lock:
            for position in positions:
                known = self._last.get(position.partition)
                if known is None or known.offset < position.offset:
                    self._last[position.partition] = position

    def applied(self) -> bool:
        """Whether the router has taken all that was published here; waits for it."""
        with self._lock:
            waited = list(self._last.values())
        if not all(self._services.applied(position, WITHIN) for position in waited):
            return False
        with self._lock:
            for position in waited:
                if self._last.get(position.partition) == position:
                    del self._last[position.partition]
        return True

    def seen(self) -> None:
        """Wait until what is answered knows of what was posted. Raises `Denied`."""
        if not self.applied():
            raise Denied(503, f"the router has not taken in what was posted within {WITHIN:g} s")
