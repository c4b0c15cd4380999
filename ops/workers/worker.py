"""One part as a process, until a signal ends it."""

import logging
import os
import signal
from collections.abc import Callable
from typing import Final, NoReturn

from ops.garbage import collect_seldom
from ops.runtime.crash import crash_from
from ops.settings import Settings
from ops.signals import Signals
from ops.transport.log import Log
from ops.workers.frame import Frame
from ops.workers.part import Make

log = logging.getLogger("tocsin.worker")

STOP_WITHIN: Final = 8.0
"""Seconds; whoever asked waits ten."""
LOOK_EVERY: Final = 0.5
"""Seconds between looks whether the part is well."""
FINE, WRONG, BROKEN = 0, 2, 3


def run(
    settings: Settings,
    stage: str,
    make: Make,
    open_log: Callable[[], Log] | None,
    *,
    eager: bool = False,
) -> NoReturn:
    """Run until SIGTERM or SIGINT, then end within ten seconds; a second one does not wait.

    Raises `Refused` when the probes' address cannot be had. Else it ends the process: with 0 after
    an orderly end, 2 when the configuration is wrong or Kafka refuses us, 3 if the part broke or
    something did not end in time. SIGHUP reads the part's own files anew.
    """
    os.umask(0o077)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    signals = Signals((signal.SIGINT, signal.SIGTERM))
    frame = Frame(settings, stage, make, open_log, crash_from(os.environ), eager=eager)
    frame.start()
    collect_seldom()
    code = BROKEN
    try:
        code = _watch(frame, signals)
    finally:
        ended = frame.stop(STOP_WITHIN)
    if not ended:
        log.warning("ended without waiting any longer", extra={"stage": stage})
        code = code or BROKEN
    log.info("worker ended", extra={"stage": stage, "code": code})
    logging.shutdown()
    # Python would wait for threads of vendors' clients, and those for a broker's answer. What
    # matters is committed by now.
    os._exit(code)


def _watch(frame: Frame, signals: Signals) -> int:
    """Sleep until an end is asked for, or the worker cannot go on; the exit code."""
    while not signals.end:
        signals.wait(LOOK_EVERY)
        if signals.reload:
            signals.reload = False
            frame.reload()
        if refused := frame.refused:
            for line in refused.splitlines():
                log.error("worker refused", extra={"stage": frame.stage, "problem": line})
            return WRONG
        if broken := frame.broken:
            log.error("worker stopped", extra={"stage": frame.stage, "problem": broken})
            return BROKEN
    return FINE
