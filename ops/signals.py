"""What signals ask of a process."""

import contextlib
import os
import signal
from collections.abc import Collection
from queue import Empty, SimpleQueue
from types import FrameType


class Signals:
    """What signals asked for; of those in `impatient`, a second one to end does not wait."""

    def __init__(self, impatient: Collection[int] = (signal.SIGINT,)) -> None:
        self.end = False
        self.reload = False
        self._impatient = frozenset(impatient)
        # Not an Event: a handler must not wait for a lock that the interrupted code holds.
        self._came: SimpleQueue[None] = SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.reload = True
        elif self.end and number in self._impatient:
            os._exit(128 + number)
        else:
            self.end = True
        self._came.put(None)

    def wait(self, timeout: float) -> None:
        """Return when a signal came, or after `timeout` seconds."""
        with contextlib.suppress(Empty):
            self._came.get(timeout=timeout)
