"""One data directory and the workers over it, from start to stop."""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ops import accepted_routes
from ops.data_directory import DataDirectory
from ops.embedded.stages import DrivenStage, detector, router
from ops.parts.shared import Shared
from ops.plans import PlanPublisher, routes_content, rules_content
from ops.runtime.crash import crash_from
from ops.runtime.threads import Worker
from ops.settings import Settings
from ops.transport.log_clock import LogClock, wall
from ops.transport.sqlite_log import SqliteLog
from ops.transport.sqlite_writer import Limits
from schemas.errors import LogAway

log = logging.getLogger("tocsin")

ALL = frozenset({"agent", "detector", "router", "courier", "historian", "console"})
STOP_WITHIN = 8.0
"""Seconds; whoever asked waits ten."""
HISTORY_ENDS = 1.5
"""Seconds of these that the history child has for its own end."""


class Process:
    """The log and the parts that were asked for.

    `check` answers what is wrong with rule and routing files as they stand. Raises
    `DataDirectoryError` when the directory cannot be had.
    """

    def __init__(
        self, settings: Settings, only: frozenset[str], check: Callable[[], Sequence[str]]
    ) -> None:
        self.settings = settings
        self.only = only
        self.problems: Sequence[str] = ()
        self.routes: accepted_routes.Routes | None = accepted_routes.kept(settings.data)
        """The routing file in force."""
        self._started = False
        self._reloading = threading.Lock()
        self._check = check
        crash = crash_from(os.environ)
        self._directory = DataDirectory(settings.data)
        try:
            sized = Limits(
                file=settings.log.max_bytes,
                reserve=settings.log.reserve_bytes,
                retain=settings.log.max_bytes // 2,
                segment=settings.log.segment_bytes,
            )
            path = settings.data / "log.sqlite"
            clock = LogClock()
            self.shared = Shared(settings, SqliteLog(path, clock, None, sized, crash), crash)
            clock.at_least(self.shared.log.last_at)
        except BaseException:
            self._directory.close()
            raise
        self._plans = PlanPublisher(self.shared.log)
        self.reader = self.shared.log.reader()
        self.stages: list[DrivenStage] = []
        if "detector" in only:
            self.stages.append(detector(self.shared))
        if "router" in only:
            self.stages.append(router(self.shared))
        self.courier = self.history = self.agent = None
        if "courier" in only:
            from ops.parts.courier import CourierPart

            self.courier = CourierPart(self.shared)
        if "historian" in only and settings.history.enabled:
            from ops.parts.history import HistoryPart
            from ops.parts.history_server import server_of

            server = server_of(settings)
            self.history = HistoryPart(self.shared, server)
            if self.courier is not None:
                self.courier.history = lambda: server.address
        if "agent" in only:
            from ops.parts.agent import agent_of

            self.agent = agent_of(settings, self.shared.log, "spool")

    @property
    def token_file(self) -> Path:
        """Where the agents' token lies."""
        return (self.settings.token_file or self.settings.data / "agent.token").absolute()

    @property
    def planned(self) -> bool:
        """Whether an earlier run left rules or routes in force."""
        return bool(self._plans.last("detector") or self._plans.last("router"))

    @property
    def broken(self) -> str:
        """Why it cannot go on, once it was started; empty while it can."""
        if self.shared.log.broken:
            return self.shared.log.broken
        for stage in self.stages:
            if stage.broken:
                return f"{stage.worker.name} stopped: {stage.broken}"
        for worker in self._workers():
            if worker.join(0):
                return f"{worker.name} stopped: {worker.failure or 'its thread ended'}"
        return ""

    def start(self) -> None:
        """Begin everything; nothing waits for anything else."""
        self._started = True
        self.shared.figures.set("tocsin_start_time_seconds", wall() / 1000)
        if self.history is not None:
            self.history.start()
        for worker in self._workers():
            worker.start()
        if self.agent is not None:
            self.agent.start()

    def stop(self, within: float = STOP_WITHIN) -> Sequence[str]:
        """End in the order of the flow, in about `within` seconds; the parts that did not end.

        Where the courier is among them a receiver does not answer: what is under way there is
        tried again, under the same id, after the next start.
        """
        left = self._stop_workers(time.monotonic() + within) if self._started else ()
        self.reader.close()
        self.shared.log.close()
        self._directory.close()
        return left

    def _stop_workers(self, ends: float) -> Sequence[str]:
        workers = self._workers()
        if self.history is not None:
            workers.append(self.history.worker)
        left = []
        if self.agent is not None and not self.agent.stop(3.0):
            left.append("agent")
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            if not worker.join(max(0.1, ends - HISTORY_ENDS - time.monotonic())):
                left.append(worker.name)
        if self.history is not None:
            self.history.stop(max(HISTORY_ENDS, ends - time.monotonic()))
        return left

    def reload(self) -> Sequence[str]:
        """Put rules and routes into force as the files say, or say what is wrong with them.

        What is in force stays when the files are wrong.
        """
        with self._reloading:
            self.problems = list(self._check())
            if not self.problems:
                try:
                    numbers = self._publish_plans()
                    if numbers:
                        log.info("configuration in force", extra=numbers)
                except (LogAway, OSError, ValueError) as fault:
                    self.problems = [str(fault)]
            for problem in self.problems:
                log.error("configuration refused", extra={"problem": problem})
            return self.problems

    def _publish_plans(self) -> dict[str, int]:
        """The numbers of what is in force now, by what it is: `rules`, `routes`."""
        settings = self.settings
        numbers = {}
        # Read once: router and courier must not go by different files.
        routes = accepted_routes.current(settings.routes, settings.data)
        for stage in self.stages:
            name = stage.worker.name
            content = (
                rules_content(settings)
                if name == "detector"
                else routes_content(routes.text, settings.matchers)
            )
            number = self._plans.publish(name, content)
            self.shared.figures.set("tocsin_plan_number", number, stage=name)
            numbers["rules" if name == "detector" else "routes"] = number
        if self.courier is not None:
            self.courier.reload(routes)
        accepted_routes.keep(routes, settings.data)
        self.routes = routes
        return numbers

    def _workers(self) -> list[Worker]:
        workers = [stage.worker for stage in self.stages]
        return workers if self.courier is None else [*workers, self.courier.worker]
