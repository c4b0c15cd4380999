"""A stage in a thread of its own, which begins anew when it ends badly."""

import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

PAUSE = 1.0
LONGEST_PAUSE = 30.0


class Worker:
    """Calls `work(stop)` until it is told to stop; after a failure once more, after a pause."""

    def __init__(self, name: str, work: Callable[[threading.Event], None]) -> None:
        self.name = name
        self.failure = ""
        self.restarts = 0
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let it end; returns at once."""
        self._stop.set()

    def join(self, timeout: float) -> bool:
        """Wait for its end; False when it has not come within `timeout` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive() and not self.failure

    def _run(self) -> None:
        pause = PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._work(self._stop)
                self.failure = ""
                return
            except Exception as fault:
                self.failure = f"{type(fault).__name__}: {fault}"
                self.restarts += 1
                logger.exception("worker failed", extra={"worker": self.name})
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = PAUSE
            self._stop.wait(pause)
            self.failure = ""
            pause = min(pause * 2, LONGEST_PAUSE)
