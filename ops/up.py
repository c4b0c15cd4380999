"""`tocsin up`: everything here, until a signal ends it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from ops import endpoint
from ops.embedded.process import ALL, STOP_WITHIN, Process
from ops.embedded.services import EmbeddedServices
from ops.settings import Settings
from schemas.errors import Refused

if TYPE_CHECKING:
    from ops.api.serve import Server

log = logging.getLogger("tocsin")

LOOK_EVERY = 2.0
"""Seconds between looks at the rule and routing files."""
Stamps = dict[str, tuple[int, int]]
"""Time of change and size by file."""


def run(
    settings: Settings,
    only: frozenset[str] | None = None,
    check: Callable[[], Sequence[str]] = tuple,
) -> int:
    """Run until SIGTERM or SIGINT, then end within ten seconds; SIGHUP and changed files reload.

    0 after an orderly end, 3 if something did not end in time, or the log or a stage failed. Raises
    `Refused` when files are wrong and nothing is in force that could go on.
    """
    os.umask(0o077)
    process = Process(settings, only or ALL, check)
    signals = _Signals()
    services = EmbeddedServices(process)
    problems = process.reload()
    if problems and not process.planned:
        process.stop()
        raise Refused("\n".join([*problems, f"{len(problems)} problems, nothing started"]))
    server = None
    broken = ""
    try:
        if "console" in process.only:
            server = _serve(process, services)
        process.start()
        broken = _watch(process, signals)
    finally:
        began = time.monotonic()
        endpoint.remove(settings.data)
        if server is not None:
            server.stop()
        left = process.stop(STOP_WITHIN - (time.monotonic() - began))
    code = 3 if broken or process.shared.log.broken or set(left) - {"courier"} else 0
    if left:
        log.warning("ended without waiting any longer", extra={"parts": ", ".join(left)})
        logging.shutdown()
        # Python would wait for threads that wait for somebody else's answer.
        os._exit(code)
    return code


class _Signals:
    """What signals asked for; a second one to end does not wait."""

    def __init__(self) -> None:
        self.end = False
        self.reload = False
        # Not an Event: a handler must not wait for a lock that the interrupted code holds.
        self._came: SimpleQueue[None] = SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.reload = True
        elif self.end and number == signal.SIGINT:
            os._exit(130)
        else:
            self.end = True
        self._came.put(None)

    def wait(self, timeout: float) -> None:
        """Return when a signal came, or after `timeout` seconds."""
        with contextlib.suppress(Empty):
            self._came.get(timeout=timeout)


def _serve(process: Process, services: EmbeddedServices) -> Server:
    from ops.api.app import build
    from ops.api.serve import Server, bind
    from ops.console.mount import console

    listener = bind(process.settings.listen.host, process.settings.listen.port)
    page = console(services, process.shared.log.clock)
    server = Server(build(services, services.access, page), listener)
    server.start()
    note = endpoint.Endpoint(server.address, str(process.token_file), os.getpid())
    endpoint.write(process.settings.data, note)
    return server


class Changes:
    """Tells when files have changed and are not being written any more, look by look."""

    def __init__(self, stamps: Stamps) -> None:
        self._read = self._looked = stamps

    def settled(self, stamps: Stamps) -> bool:
        """Whether they differ from those read last, and not from those of the last look."""
        still, self._looked = stamps == self._looked, stamps
        return still and stamps != self._read

    def read(self, stamps: Stamps) -> None:
        """They are read now, whatever they hold."""
        self._read = stamps


def _watch(process: Process, signals: _Signals) -> str:
    """Sleep until an end is asked for, or the process cannot go on: then why.

    Changed files are reloaded once they were the same over two looks.
    """
    changes = Changes(_stamps(process.settings))
    while not signals.end:
        signals.wait(LOOK_EVERY)
        now = _stamps(process.settings)
        if changes.settled(now) or signals.reload:
            signals.reload = False
            changes.read(now)
            process.reload()
        if process.broken:
            print(f"tocsin: {process.broken}", file=sys.stderr)
            return process.broken
    return ""


def _stamps(settings: Settings) -> Stamps:
    files = [*settings.rule_files(), *([settings.routes] if settings.routes else [])]
    stamps: Stamps = {}
    for file in files:
        try:
            found = file.stat()
        except OSError:
            continue
        stamps[str(file)] = (found.st_mtime_ns, found.st_size)
    return stamps
