"""History over a log: ClickHouse, and the historian that fills it."""

import threading

from ops.history.clickhouse import History
from ops.history.errors import HistoryAway, HistoryError
from ops.history.migrations import migrate
from ops.history.writer import Writer
from ops.parts.history_server import HistoryServer
from ops.parts.shared import Shared
from ops.runtime.historian import TOPICS_KEPT, Historian
from ops.runtime.threads import Worker
from ops.services import StageStatus
from ops.transport.log import Log


class HistoryPart:
    """Brings the server's schema up to date and writes; nobody waits for it."""

    def __init__(self, shared: Shared[Log], server: HistoryServer) -> None:
        self._shared = shared
        self.server = server
        self._history = History(lambda: server.address)
        self._historian: Historian | None = None
        self._waits = ""
        self.worker = Worker("historian", self._work)

    def start(self) -> None:
        """Begin; returns at once."""
        self.server.start()
        self.worker.start()

    def stop(self, within: float) -> None:
        """Let go of the server, after the historian has ended."""
        self._history.close()
        self.server.stop(within)

    @property
    def up(self) -> bool:
        """Whether the server answered when it was last asked."""
        away = self._historian.away if self._historian else self._waits
        return self.server.wait_ready(0.0) and not away

    def asked(self) -> History:
        """For a query; raises `HistoryAway` while the server does not answer."""
        if not self.server.wait_ready(0.0):
            raise HistoryAway(f"history does not answer: {self.server.fault or 'it is starting'}")
        if self._historian is None:
            raise HistoryAway("history is being prepared")
        return self._history

    def status(self) -> StageStatus:
        """How it is; without it people are still paged."""
        up = self.server.wait_ready(0.0)
        historian = self._historian
        away = historian.away if historian else self._waits
        message = self.worker.failure or away or ("" if up else self.server.fault or "starting")
        ready = up and historian is not None and historian.read.is_set() and not message
        figures = {"restarts": float(self.server.restarts)}
        if historian is not None:
            figures["watermark"] = historian.watermark / 1000
            figures["lag"] = float(historian.lag)
        return StageStatus("historian", not message, ready, message, figures, vital=False)

    def _work(self, stop: threading.Event) -> None:
        retention = self._shared.settings.history.retention
        if not self._prepare(stop, max(1, retention.days)):
            return
        self._historian = Historian(
            self._shared.log.inbox("historian", TOPICS_KEPT),
            self._shared.log,
            Writer(self._history),
            int(retention.total_seconds() * 1000),
            self._shared.crash,
            self._shared.counter("historian"),
        )
        self._historian.run(stop)

    def _prepare(self, stop: threading.Event, days: int) -> bool:
        """Wait for the server and bring its schema up to date; False when told to stop."""
        while not stop.is_set():
            try:
                if self.server.wait_ready(0.2):
                    migrate(self._history, days)
                    self._waits = ""
                    return True
            except (HistoryAway, OSError) as fault:
                self._waits = str(fault)
                stop.wait(0.5)
            except HistoryError as fault:
                raise RuntimeError(str(fault)) from fault
        return False
