"""The frame of a worker: connects, runs one part, tells how it is, ends it in time."""

import contextlib
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from ops import endpoint
from ops.figures import Figures, Reading
from ops.parts.shared import Shared
from ops.runtime.crash import Crash
from ops.services import StageStatus
from ops.settings import Settings
from ops.transport.log import Log
from ops.transport.log_clock import wall
from ops.workers.beats import Beats
from ops.workers.late_log import LateLog
from ops.workers.measured import measured
from ops.workers.part import Make, Part, Reloads
from ops.workers.probe import Probe
from schemas.errors import LogAway, Refused

log = logging.getLogger("tocsin.worker")

PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 10.0
"""Seconds between tries to connect; half of each is chance, so that a fleet spreads."""
CLOSING: Final = 1.5
"""Seconds of an end that are left for the last word and for closing connections."""


class Frame:
    """One part and what every worker has around it.

    `open_log` connects; None for a part that has no log of ours. An `eager` part starts before
    Kafka answers, because it can keep what it has meanwhile. Raises `Refused` when the probes'
    address cannot be had.
    """

    def __init__(
        self,
        settings: Settings,
        stage: str,
        make: Make,
        open_log: Callable[[], Log] | None,
        crash: Crash,
        *,
        eager: bool = False,
    ) -> None:
        self._settings = settings
        self.stage = stage
        self._make = make
        self._eager = eager or open_log is None
        self._has_log = open_log is not None
        self._log = LateLog(open_log or _no_log)
        self._shared: Shared[Log] = Shared(settings, self._log, crash, Figures())
        self._shared.figures.register(self._measured)
        self._shared.figures.set("tocsin_start_time_seconds", wall() / 1000)
        self._part: Part | None = None
        self._connected = not self._has_log
        self._waits = "connecting"
        self._refused = ""
        self._failed = ""
        self._stopping = threading.Event()
        self._opening = threading.Thread(target=self._open, name="opening", daemon=True)
        name = settings.worker.name or f"{socket.gethostname()}:{os.getpid()}:{stage}"
        self._beats = Beats(self._log.tell, name, self._part_status, self._now)
        self._probe = Probe(settings.worker.listen, self.status, self._shared.figures)

    @property
    def refused(self) -> str:
        """What is to be mended before the worker can run; empty if nothing is known to be."""
        return self._refused or self._log.refused

    @property
    def broken(self) -> str:
        """Why the part cannot go on; empty while it can."""
        return self._failed or (self._part.broken if self._part is not None else "")

    def start(self) -> None:
        """Begin everything; returns at once."""
        self._probe.start()
        address = str(self._probe.address)
        note = endpoint.Endpoint(address, "", os.getpid())
        endpoint.write(self._settings.data, note, endpoint.worker_file(self.stage))
        log.info("worker started", extra={"stage": self.stage, "probes": address})
        self._opening.start()

    def reload(self) -> None:
        """Read the part's own files anew, if it has any."""
        part: object = self._part
        if isinstance(part, Reloads):
            part.reload()

    def status(self) -> Sequence[StageStatus]:
        """The part's stages, and Kafka as the worker has it; nothing is ready that ends."""
        found = [*self._part_status()]
        if self._has_log:
            away = "" if self._connected and not self._beats.failed else self._waits
            away = self._beats.failed or away
            found.append(StageStatus("kafka", not away, not away, away))
        if self._stopping.is_set():
            return [replace(status, ready=False) for status in found]
        return found

    def stop(self, within: float) -> bool:
        """End in about `within` seconds; whether the part did.

        A connection that is still being made or closed is left: what was published is durable.
        """
        ends = time.monotonic() + within
        ended = True
        self._stopping.set()
        self._opening.join(0.5)
        part = self._part
        if part is not None:
            part.ask_to_stop()
            ended = part.join(max(0.1, ends - CLOSING - time.monotonic()))
        self._beats.stop(max(0.1, min(CLOSING, ends - time.monotonic()) - 0.3))
        closing = threading.Thread(target=self._close, name="closing", daemon=True)
        closing.start()
        closing.join(max(0.3, ends - time.monotonic()))
        self._probe.stop()
        file = endpoint.worker_file(self.stage)
        note = endpoint.read(self._settings.data, file)
        if note is not None and note.pid == os.getpid():
            endpoint.remove(self._settings.data, file)
        return ended

    def _open(self) -> None:
        try:
            if self._eager:
                self._begin()
            pause, said = PAUSE, False
            while self._has_log and not self._stopping.is_set():
                try:
                    self._log.open()
                    if self._part is None:
                        self._begin()
                except LogAway as fault:
                    self._waits = str(fault)
                    if not said:
                        log.warning("Kafka away, trying again", extra={"error": self._waits})
                    said = True
                    self._stopping.wait(pause * (0.5 + random.random() / 2))
                    pause = min(pause * 2, LONGEST_PAUSE)
                else:
                    self._connected = True
                    if said:
                        log.info("Kafka answers")
                    self._beats.start()
                    return
        except Refused as fault:
            self._refused = str(fault)
        except Exception as fault:
            log.exception("worker could not start")
            self._failed = f"{type(fault).__name__}: {fault}"

    def _begin(self) -> None:
        part = self._make(self._shared)
        # An end that was asked for meanwhile has found no part to end.
        if not self._stopping.is_set():
            part.start()
            self._part = part

    def _part_status(self) -> Sequence[StageStatus]:
        if self._part is None:
            return [StageStatus(self.stage, not self.broken, False, self._failed or "starting")]
        return self._part.status()

    def _now(self) -> int:
        return self._log.clock()  # another one once Kafka answers

    def _measured(self) -> Iterator[Reading]:
        return measured(self.status())

    def _close(self) -> None:
        with contextlib.suppress(LogAway):
            self._log.close()


def _no_log() -> Log:
    raise LogAway("this worker has no log")
