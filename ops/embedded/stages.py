"""The stages that decide, each driven over the log by a worker."""

import threading
import time
from collections.abc import Callable

from ops.parts.shared import Shared
from ops.runtime.driver import Driver
from ops.runtime.threads import Worker
from ops.services import StageStatus
from ops.transport.sqlite_log import SqliteLog
from schemas.stage import Stage


class DrivenStage:
    """A stage and its worker; begins with loading its state, which may take a while."""

    def __init__(self, shared: Shared[SqliteLog], name: str, make: Callable[[], Stage]) -> None:
        self._shared = shared
        self._make = make
        self.driver: Driver | None = None
        self.worker = Worker(name, self._work)

    def status(self) -> StageStatus:
        """How it is; ready once it has read to the end of the log."""
        driver, worker = self.driver, self.worker
        if driver is None:
            message = worker.failure or "loading"
            return StageStatus(worker.name, not worker.failure, False, message)
        message = worker.failure or driver.error or ""
        figures = {"lag": float(driver.lag), "watermark": driver.now / 1000}
        return StageStatus(
            worker.name,
            worker.alive and not message,
            driver.ready.is_set() and not message,
            message,
            figures,
        )

    def taken(self, offset: int, within: float) -> bool:
        """Whether the record there is taken and committed within that time."""
        ends = time.monotonic() + within
        while self.driver is None and self.worker.alive and time.monotonic() < ends:
            time.sleep(0.01)
        driver = self.driver
        return driver is not None and driver.taken(offset, max(0.0, ends - time.monotonic()))

    @property
    def broken(self) -> str:
        """Why it stopped for good; empty while it did not."""
        return (self.driver.error or "") if self.driver is not None else ""

    def _work(self, stop: threading.Event) -> None:
        name = self.worker.name
        self.driver = Driver(
            self._shared.log, self._make, 0, self._shared.crash, count=self._shared.counter(name)
        )
        self.driver.run(stop)


def detector(shared: Shared[SqliteLog]) -> DrivenStage:
    """The detector, over the metrics topic."""

    def make() -> Stage:
        from processors.detector import Detector

        return Detector()

    return DrivenStage(shared, "detector", make)


def router(shared: Shared[SqliteLog]) -> DrivenStage:
    """The router, over the alerts topic."""

    def make() -> Stage:
        from notifiers.router import Router

        return Router(external_url=shared.settings.url, atomic=True)

    return DrivenStage(shared, "router", make)
