"""History in this process: ClickHouse's engine as a child, and the historian that fills it."""

import threading

from ops.embedded.shared import Shared
from ops.history.child import HistoryChild
from ops.history.clickhouse import History
from ops.history.errors import HistoryAway, HistoryError
from ops.history.migrations import migrate
from ops.history.writer import Writer
from ops.runtime.historian import TOPICS_KEPT, Historian
from ops.runtime.threads import Worker
from ops.services import StageStatus


class EmbeddedHistory:
    """Starts the child, brings its schema up to date, writes; nobody waits for it."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.child = HistoryChild(shared.settings.data / "history")
        self._history = History(lambda: self.child.address)
        self._historian: Historian | None = None
        self.worker = Worker("historian", self._work)

    def start(self) -> None:
        """Begin; returns at once."""
        self.child.start()
        self.worker.start()

    def stop(self, within: float) -> None:
        """End the child, after the historian has ended."""
        self._history.close()
        self.child.stop(within)

    def asked(self) -> History:
        """For a query; raises `HistoryAway` while the child does not answer."""
        if not self.child.wait_ready(0.0):
            raise HistoryAway(f"history does not answer: {self.child.fault or 'it is starting'}")
        if self._historian is None:
            raise HistoryAway("history is being prepared")
        return self._history

    def status(self) -> StageStatus:
        """How it is; without it people are still paged."""
        up = self.child.wait_ready(0.0)
        historian = self._historian
        away = historian.away if historian else None
        message = self.worker.failure or away or ("" if up else self.child.fault or "starting")
        ready = up and historian is not None and historian.read.is_set() and not message
        figures = {"restarts": float(self.child.restarts)}
        if historian is not None:
            figures["watermark"] = historian.watermark / 1000
        return StageStatus("historian", not message, ready, message, figures, vital=False)

    def _work(self, stop: threading.Event) -> None:
        retention = self._shared.settings.history.retention
        while not stop.is_set():
            try:
                if self.child.wait_ready(0.2):
                    migrate(self._history, max(1, retention.days))
                    break
            except (HistoryAway, OSError):
                stop.wait(0.5)
            except HistoryError as fault:
                raise RuntimeError(str(fault)) from fault
        if stop.is_set():
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
