"""What a worker says of itself on the health topic: every ten seconds, on changes, at its end."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ops.services import StageStatus
from schemas.envelope import Envelope, Producer
from schemas.errors import TocsinError
from schemas.event import MAX_ENTRIES
from schemas.labels import derived_id
from schemas.plans import Health
from schemas.stage import Message
from schemas.topics import CODEC, HEALTH

log = logging.getLogger(__name__)

EVERY: Final = 10.0
LOOK_EVERY: Final = 1.0
"""Seconds between looks whether health, readiness or the plan followed have changed."""
TIMEOUT: Final = 5.0
"""Seconds that one publish may take; nobody waits for it but the thread here."""
LAST_TIMEOUT: Final = 1.0
MAX_MESSAGE: Final = 1_000


class Beats:
    """Publishes the worker's health from a thread of its own, until stopped.

    `tell` publishes within so many seconds. `now` in ms. `failed` says why the last publish did not
    go; empty while they do.
    """

    def __init__(
        self,
        tell: Callable[[Sequence[Message], float], None],
        worker: str,
        status: Callable[[], Sequence[StageStatus]],
        now: Callable[[], int],
        every: float = EVERY,
    ) -> None:
        self.failed = ""
        self._tell = tell
        self._worker = worker
        self._status = status
        self._now = now
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Begin with a first word; returns at once."""
        self._thread.start()

    def stop(self, within: float) -> None:
        """Say that the worker ends, if that can be said within `within` seconds."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(within)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._beat(TIMEOUT)
            self._wait()
        if not self.failed:
            self._beat(LAST_TIMEOUT, ending=True)

    def _wait(self) -> None:
        """Until it is time again, or something has changed that people wait for."""
        news, ends = self._news(), time.monotonic() + self._every
        while time.monotonic() < ends and not self._stop.wait(min(LOOK_EVERY, self._every)):
            if self._news() != news:
                return

    def _news(self) -> list[tuple[object, ...]]:
        try:
            found = self._status()
        except Exception:  # the beat itself says what is wrong with it
            return []
        return [(s.name, s.healthy, s.ready, s.figures.get("plan")) for s in found]

    def _beat(self, timeout: float, *, ending: bool = False) -> None:
        try:
            at = self._now()
            messages = [
                message(self._worker, status, at, ending=ending) for status in self._status()
            ]
            self._tell(messages, timeout)
        except Exception as fault:
            # Whatever it is, a worker that cannot tell how it is goes on with its work.
            self._note(str(fault) or type(fault).__name__, expected=isinstance(fault, TocsinError))
        else:
            self._note("")

    def _note(self, failed: str, *, expected: bool = True) -> None:
        if failed and not self.failed:
            log.warning("health not told", extra={"error": failed}, exc_info=not expected)
        elif self.failed and not failed:
            log.info("health told again")
        self.failed = failed


def message(worker: str, status: StageStatus, at: int, *, ending: bool = False) -> Message:
    """A stage's status as a record of the health topic.

    `ready` and `vital` are figures (0 or 1); `ended` is one, too, in a worker's last word.
    """
    finite = [each for each in status.figures.items() if math.isfinite(each[1])]
    figures = {
        **dict(sorted(finite)[: MAX_ENTRIES - 3]),
        "ready": float(status.ready and not ending),
        "vital": float(status.vital),
    }
    if ending:
        figures["ended"] = 1.0
    event = Health(
        worker=worker,
        stage=status.name,
        at=at,
        healthy=status.healthy and not ending,
        message=("ended" if ending else status.message)[:MAX_MESSAGE],
        figures=figures,
    )
    number = derived_id("health", worker, status.name, at)
    envelope = Envelope(number, Producer(worker), at, event)
    return Message(HEALTH, worker, CODEC.encode(envelope))
