"""One source on a thread of its own."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from collectors.batches import up
from collectors.sources.source import Observation, Source

log = logging.getLogger(__name__)


class Worker:
    """Reads its source when asked, and hands over what it saw and `up`.

    A source that raises is `up 0`. So is one that has not answered when it is asked again; what it
    answers after that is thrown away, so that a source's samples stay in order.
    """

    def __init__(self, source: Source[Any], hand_over: Callable[[Observation], None]) -> None:
        self.source = source
        self.readings = self.failures = self.late = 0
        self._hand_over = hand_over
        self._asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._busy = False
        self._wanted: int | None = None
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name=f"read-{source.name}", daemon=True)

    def start(self) -> None:
        """Be ready to read."""
        self._thread.start()

    def ask(self, at: int) -> bool:
        """Read at `at`; False when the reading before is still under way."""
        with self._lock:
            if not self._busy:
                self._busy, self._wanted = True, at
                self._asked.put(at)
                return True
            self._wanted = None
            self._down(at, "did not answer within its interval")
            return False

    def stop(self) -> None:
        """Read no more; a reading under way may end."""
        self._asked.put(None)

    def abandon(self, timeout: float) -> None:
        """Wait so many seconds for the reading under way, then want it no more."""
        self._thread.join(max(0.0, timeout))
        with self._lock:
            self._wanted = None

    def _run(self) -> None:
        while (at := self._asked.get()) is not None:
            try:
                seen: Observation | Exception = self.source.observe(self.source.read(at))
            except Exception as fault:  # whatever a source raises is a failed reading
                seen = fault
            with self._lock:
                self._busy = False
                if self._wanted == at:
                    self._tell(at, seen)
                else:
                    self.late += 1

    def _tell(self, at: int, seen: Observation | Exception) -> None:
        if isinstance(seen, Exception):
            self._down(at, f"{type(seen).__name__}: {seen}")
            return
        alive = up(self.source.instance, self.source.job, True)
        try:
            self._hand_over(replace(seen, samples=(*seen.samples, alive)))
        except Exception as fault:  # what it saw cannot be packed: it is of no use, but known
            log.exception("observation could not be packed", extra={"source": self.source.name})
            self._down(at, f"{type(fault).__name__}: {fault}")
            return
        self.readings += 1
        if self._failing:
            log.info("source answers again", extra={"source": self.source.name})
        self._failing = ""

    def _down(self, at: int, why: str) -> None:
        self.failures += 1
        if why != self._failing:
            log.warning("source failed", extra={"source": self.source.name, "error": why})
        self._failing = why
        dead = up(self.source.instance, self.source.job, False)
        self._hand_over(Observation(at, (dead,)))
