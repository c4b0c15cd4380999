"""The partitions that a worker owns now: a driver for each, in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from ops.runtime.crash import Crash
from ops.runtime.driver import TOPIC_ANEW, Driver
from ops.runtime.threads import Worker
from ops.services import StageStatus
from ops.transport.feed import Feed
from ops.transport.kafka_stage_log import KafkaStageLog
from schemas.errors import LogAway
from schemas.stage import Stage

logger = logging.getLogger(__name__)

SLOW_COMMIT = 10.0
"""Seconds; kafka-python itself waits for a transaction's coordinator without an end."""

Count = Callable[[str, int], None]
Committed = Callable[[int, int], None]
"""Told a partition's number and the offset below which the group needs nothing any more."""


class Partitions:
    """Starts and stops drivers as a group deals the partitions out; `make` is told the number.

    A partition that stays with this worker over a rebalance keeps its driver and its windows: had
    anybody else committed meanwhile, the driver's next commit would be refused and it would load
    anew (ADR 9). So nothing has to stop while a rebalance is under way.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[int], Stage],
        open_log: Callable[[Feed], KafkaStageLog],
        crash: Crash,
        count: Count,
        committed: Committed = lambda _number, _next: None,
        anew: Callable[[], None] = lambda: None,
        commit_within: float | None = None,
    ) -> None:
        self.name = name
        self._make = make
        self._open = open_log
        self._crash = crash
        self._count = count
        self._committed = committed
        self._anew = anew
        self._commit_within = commit_within
        self._lock = threading.Lock()
        self._owned: dict[int, _Owned] = {}
        self._ending: list[_Owned] = []
        self._stopping = False
        self.rebalances = 0

    def assign(self, numbers: Iterable[int]) -> None:
        """Own exactly these from now on; returns at once."""
        wanted = set(numbers)
        with self._lock:
            self.rebalances += 1
            for number in [number for number in self._owned if number not in wanted]:
                gone = self._owned.pop(number)
                gone.worker.ask_to_stop()
                self._ending.append(gone)
            self._ending = [owned for owned in self._ending if not owned.worker.join(0)]
            for owned in self._owned.values():
                owned.feed.land()
            if self._stopping:
                return  # what is new is somebody else's in a moment
            for number in wanted - self._owned.keys():
                owned = self._owned[number] = self._own(number)
                owned.worker.start()

    def cast_off(self) -> None:
        """Until `assign` nothing is fed; what is owned goes on without."""
        with self._lock:
            for owned in self._owned.values():
                owned.feed.cast_off()

    def feed(self, number: int) -> Feed | None:
        """Where this partition's records go; None if it is not ours."""
        with self._lock:
            owned = self._owned.get(number)
        return owned.feed if owned else None

    def ask_to_stop(self) -> None:
        """Let every driver commit and end; returns at once."""
        with self._lock:
            self._stopping = True
            for owned in (*self._owned.values(), *self._ending):
                owned.worker.ask_to_stop()

    def join(self, timeout: float) -> bool:
        """Wait for their end; False when one has not come within `timeout` seconds."""
        ends = time.monotonic() + timeout
        with self._lock:
            left = [*self._owned.values(), *self._ending]
        ended = [owned.worker.join(max(0.0, ends - time.monotonic())) for owned in left]
        return all(ended)

    @property
    def broken(self) -> str:
        """Why a driver stopped for good; empty while none did."""
        with self._lock:
            errors = {n: owned.driver.error for n, owned in self._owned.items() if owned.driver}
        return "; ".join(f"partition {n}: {error}" for n, error in errors.items() if error)

    def status(self) -> StageStatus:
        """How they are; ready once every one of them has read to the end."""
        with self._lock:
            owned = dict(sorted(self._owned.items()))
        figures: dict[str, float] = {
            "partitions": len(owned),
            "rebalances": self.rebalances,
        }
        ready, wrong = True, []
        for number, each in owned.items():
            driver = each.driver
            if each.worker.failure:
                wrong.append(f"partition {number}: {each.worker.failure}")
            if driver is None:
                ready = False
                if each.trouble:
                    wrong.append(f"partition {number}: {each.trouble}")
                continue
            if driver.trouble:
                wrong.append(f"partition {number}: {driver.trouble}")
            elif driver.committing and time.monotonic() - driver.committing > SLOW_COMMIT:
                wrong.append(f"partition {number}: a commit has no answer yet")
            ready = ready and driver.ready.is_set()
            if driver.error:
                wrong.append(f"partition {number}: {driver.error}")
            figures[f"lag:{number}"] = float(driver.lag)
            figures["lag"] = figures.get("lag", 0.0) + driver.lag
            if driver.now:
                figures["watermark"] = min(figures.get("watermark", 1e18), driver.now / 1000)
            figures["rebuild_seconds"] = max(figures.get("rebuild_seconds", 0), driver.loading)
            figures["commits"] = figures.get("commits", 0) + each.log.commits
            figures["aborts"] = figures.get("aborts", 0) + each.log.aborts
            plan = getattr(driver.stage, "plan_number", 0)
            figures["plan"] = min(figures.get("plan", plan), plan)
        return StageStatus(self.name, not wrong, ready and not wrong, "; ".join(wrong), figures)

    def _counted(self, what: str, amount: int) -> None:
        self._count(what, amount)
        if what == TOPIC_ANEW:
            self._anew()

    def _own(self, number: int) -> "_Owned":
        feed = Feed(lambda next_: self._committed(number, next_))
        return _Owned(number, feed, self._open(feed), self._work)

    def _work(self, owned: "_Owned", stop: threading.Event) -> None:
        """One partition until it is stopped, or somebody else has it."""
        more = {} if self._commit_within is None else {"commit_within": self._commit_within}
        try:
            while not stop.is_set():
                try:
                    owned.driver = Driver(
                        owned.log,
                        partial(self._make, owned.number),
                        owned.number,
                        self._crash,
                        count=self._counted,
                        stopping=stop,
                        **more,
                    )
                    owned.driver.run(stop)
                    return
                except LogAway as fault:
                    if not owned.trouble:
                        where = {"stage": self.name, "n": owned.number, "error": str(fault)}
                        logger.warning("partition not loaded", extra=where)
                    owned.trouble = str(fault)
                    stop.wait(1.0)
        finally:
            owned.log.close()
            if stop.is_set():
                # Whoever still knows this one, until the next rebalance, keeps no windows with it.
                owned.driver = None
                owned.feed.begin_again(anew=True)


class _Owned:
    """A partition, its records, and the thread that drives it."""

    def __init__(
        self,
        number: int,
        feed: Feed,
        log: KafkaStageLog,
        work: "Callable[[_Owned, threading.Event], None]",
    ) -> None:
        self.number = number
        self.feed = feed
        self.log = log
        self.driver: Driver | None = None
        self.trouble = ""
        """Why it cannot be loaded."""
        self.worker = Worker(f"partition-{number}", lambda stop: work(self, stop))
