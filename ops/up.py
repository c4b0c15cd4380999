"""`tocsin up`: everything here, until a signal ends it."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ops import endpoint
from ops.embedded.process import ALL, STOP_WITHIN, Process
from ops.embedded.services import EmbeddedServices
from ops.file_changes import Changes, Stamps, stamps_of
from ops.garbage import collect_seldom
from ops.settings import Settings
from ops.signals import Signals
from schemas.errors import Refused

if TYPE_CHECKING:
    from ops.api.serve import Server

log = logging.getLogger("tocsin")

LOOK_EVERY = 2.0
"""Seconds between looks at the rule and routing files."""


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
    signals = Signals()
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
        collect_seldom()
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


def _serve(process: Process, services: EmbeddedServices) -> Server:
    from ops.api.app import build
    from ops.api.serve import Server, bind
    from ops.console.mount import console

    settings = process.settings
    listener = bind(settings.listen.host, settings.listen.port)
    page = console(services, process.shared.log.clock)
    server = Server(build(services, services.access, page, settings.route_prefix), listener)
    server.start()
    address = server.address + settings.route_prefix
    note = endpoint.Endpoint(address, str(process.token_file), os.getpid())
    endpoint.write(settings.data, note)
    return server


def _watch(process: Process, signals: Signals) -> str:
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
    return stamps_of([*settings.rule_files(), *([settings.routes] if settings.routes else [])])
