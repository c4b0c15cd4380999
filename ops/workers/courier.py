"""`tocsin courier`: carries deliveries as its own routing file says, secrets and all."""

import logging
import threading
from collections.abc import Sequence

from ops import accepted_routes
from ops.file_changes import Changes, Stamps, stamps_of
from ops.parts.courier import CourierPart
from ops.parts.history_server import address_of
from ops.parts.shared import Shared
from ops.services import StageStatus
from ops.transport.log import Log
from schemas.errors import Refused

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between looks at the routing file."""


class CourierWorker:
    """See `ops.workers.part.Part`.

    The routing file is read at the start, on a signal, and when it has changed and holds still. A
    wrong one leaves what was accepted last in force, also over a start.
    """

    name = "courier"
    broken = ""

    def __init__(self, shared: Shared[Log]) -> None:
        self._settings = shared.settings
        self._courier = CourierPart(shared)
        if (history := shared.settings.history).enabled and history.url is not None:
            self._courier.history = lambda: address_of(history)
        self._reading = threading.Lock()
        self._changes = Changes(self._stamps())
        self._problem = ""
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._look, name="routes", daemon=True)
        self.reload()
        if self._problem and accepted_routes.kept(self._settings.data) is None:
            raise Refused(self._problem)

    def start(self) -> None:
        """Begin; returns at once."""
        self._courier.worker.start()
        self._watch.start()

    def ask_to_stop(self) -> None:
        """Take no more deliveries, and cut short the waits of those under way."""
        self._stop.set()
        self._courier.worker.ask_to_stop()

    def join(self, timeout: float) -> bool:
        """Wait for the deliveries under way; a receiver that hangs is left after `timeout` s."""
        return self._courier.worker.join(timeout)

    def status(self) -> Sequence[StageStatus]:
        """The courier, and its file while that is not in force."""
        found = [self._courier.status()]
        if self._problem:
            message = f"the routing file is not in force: {self._problem}"
            found.append(StageStatus("configuration", False, True, message, vital=False))
        return found

    def reload(self) -> None:
        """Put the routing file into force as it stands, or say what is wrong with it."""
        with self._reading:
            self._changes.read(self._stamps())
            try:
                routes = accepted_routes.current(self._settings.routes, self._settings.data)
                self._courier.reload(routes)
                accepted_routes.keep(routes, self._settings.data)
            except (OSError, ValueError) as fault:
                self._problem = str(fault)
                log.error("routing file refused", extra={"problem": self._problem})
            else:
                self._problem = ""
                log.info("routing file in force", extra={"file": str(routes.file)})

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            if self._changes.settled(self._stamps()):
                self.reload()

    def _stamps(self) -> Stamps:
        return stamps_of([self._settings.routes] if self._settings.routes else [])


def part(shared: Shared[Log]) -> CourierWorker:
    """A member of the couriers' group. Raises `Refused` when there are no receivers to be had."""
    return CourierWorker(shared)
