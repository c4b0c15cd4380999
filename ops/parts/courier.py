"""The courier over a log: deliveries to receivers, receipts back."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from ops.accepted_routes import Routes, current, kept
from ops.parts.shared import Shared, behind
from ops.runtime.threads import Worker
from ops.services import StageStatus
from ops.transport.log import Log
from schemas.errors import LogAway
from schemas.stage import Inbox, Output
from schemas.topics import DELIVERIES

if TYPE_CHECKING:
    from notifiers.config import Config
    from notifiers.matchers import Mode
    from notifiers.templating import Templates
    from ops.history.address import Address

    Taken = tuple[Config, Path, Templates]

log = logging.getLogger("tocsin.courier")

AWAY = 1.0
"""Seconds until a log that is away is tried again."""
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""Receivers on this machine are reachable unless `delivery.allow` says otherwise."""


class CourierPart:
    """Carries deliveries to the receivers of the routing file that was accepted last.

    That may be older than the file as it stands: the router, too, goes on with its last plan.
    """

    def __init__(self, shared: Shared[Log]) -> None:
        self._shared = shared
        self.history: Callable[[], Address] | None = None
        """Where values for pictures in mails are, set before the start; None: no pictures."""
        self._again = threading.Event()
        self._reading = threading.Lock()
        self._taken: Taken | None = None
        self._remembered: OrderedDict[tuple[str, int], Output] = OrderedDict()
        self._failing: dict[tuple[str, int], str] = {}
        self._away = ""
        self._inbox: Inbox | None = None
        self.worker = Worker("courier", self._work)

    def reload(self, routes: Routes) -> None:
        """Take these receivers. Raises ValueError, and goes on with the old ones, if it cannot."""
        taken = _parsed(routes, self._shared.settings.matchers)
        with self._reading:
            self._taken = taken
        self._again.set()

    def status(self) -> StageStatus:
        """How it is."""
        worker, inbox = self.worker, self._inbox
        if self._away:
            return StageStatus("courier", False, False, self._away)
        figures = {} if inbox is None else behind(inbox)
        if worker.alive and self._failing:
            # One dead receiver is no dead courier: the others are still told.
            failing = dict(self._failing)
            told = ", ".join(f"{name}[{n}]: {why}" for (name, n), why in failing.items())
            return StageStatus("courier", False, True, f"not taken by {told}", figures, False)
        return StageStatus("courier", worker.alive, worker.alive, worker.failure, figures)

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._again.clear()
            try:
                self._carry(stop, *self._receivers())
            except LogAway as fault:
                # Said once; and no failure of ours, which would be said with its traceback.
                if not self._away:
                    log.warning("courier waits for the log", extra={"error": str(fault)})
                self._away = str(fault)
                stop.wait(AWAY)

    def _receivers(self) -> Taken:
        """What was taken; else, after a start with a broken file, what an earlier run accepted."""
        with self._reading:
            if self._taken is None:
                settings = self._shared.settings
                earlier = kept(settings.data) or current(settings.routes, settings.data)
                self._taken = _parsed(earlier, settings.matchers)
            return self._taken

    def _carry(
        self, stop: threading.Event, config: Config, secrets: Path, templates: Templates
    ) -> None:
        from notifiers.channels.build import build
        from notifiers.courier import Clock, Courier
        from notifiers.courier_loop import CourierLoop

        settings = self._shared.settings
        with contextlib.ExitStack() as left:
            charts = None
            if self.history is not None:
                from ops.history.alert_values import PATIENCE, AlertValues
                from ops.history.clickhouse import History

                values = History(self.history, PATIENCE)
                left.callback(values.close)
                charts = AlertValues(values)
            channels = build(
                config,
                data=settings.data,
                secrets=secrets,
                allow=settings.delivery.allow or LOOPBACK,
                now=time.time,
                templates=templates,
                charts=charts,
            )
            for channel in channels.values():
                left.callback(channel.close)
            self._failing = {}
            ending = _Either(stop, self._again)
            # The log's clock, as the router's: after a jump the wall clock is not what expiry is
            # in.
            now = self._shared.log.clock
            inbox = self._shared.log.inbox("courier", [DELIVERIES])
            left.callback(inbox.close)
            self._inbox = inbox
            self._away = ""
            CourierLoop(
                inbox,
                self._shared.log,
                Courier(
                    channels,
                    Clock(now, time.monotonic, ending.wait, random.random),
                    prepare=templates.routed,
                ),
                ending,
                now,
                crash=self._shared.crash,
                count=self._shared.counter("courier"),
                remembered=self._remembered,
                failing=self._failing,
            ).run()


def _parsed(routes: Routes, mode: Mode) -> Taken:
    from notifiers.config import read
    from notifiers.template_files import read_templates

    config, problems = read(routes.text, str(routes.file), mode=mode)
    if config is None:
        raise ValueError(str(problems[0]))
    return config, routes.directory, read_templates(config.templates, routes.directory)


class _Either(threading.Event):
    """Set as soon as one of two events is."""

    def __init__(self, first: threading.Event, second: threading.Event) -> None:
        super().__init__()
        self._events = (first, second)

    def is_set(self) -> bool:
        return any(event.is_set() for event in self._events)

    def wait(self, timeout: float | None = None) -> bool:
        """Looks every tenth of a second, which is soon enough for an end."""
        ends = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = 0.1 if ends is None else min(0.1, ends - time.monotonic())
            if left <= 0:
                return False
            self._events[0].wait(left)
        return True
