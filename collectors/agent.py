"""The agent: what is due is read, what was read is sent; every wait has its own thread."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from collectors.batches import Batcher, Sealer
from collectors.outbox import TIMEOUT, Outbox
from collectors.schedule import Due, Schedule
from collectors.sources.source import Observation, Source
from collectors.spool import Spool
from collectors.worker import Worker
from schemas.envelope import DEFAULT_TENANT
from schemas.labels import Labels
from schemas.stage import Publish

log = logging.getLogger(__name__)

GRACE = 2.0
"""Seconds that a reading under way is given when the agent stops."""


def wall() -> int:
    """The machine's clock, in ms."""
    return time.time_ns() // 1_000_000


class Agent:
    """Reads sources and publishes what they say, from `start` to `stop`.

    A source has a thread of its own, so that one that hangs delays no other: at its next tick the
    agent says `up 0` in its place, and throws the late reading away. Another thread sends, and a
    third looks what is due. All that is put carries `producer` and the epoch of this start.
    """

    def __init__(
        self,
        sources: Sequence[Source[Any]],
        publish: Publish,
        *,
        producer: str,
        spool: Spool | None = None,
        labels: Labels = (),
        tenant: str = DEFAULT_TENANT,
        now: Callable[[], int] = wall,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        timeout: float = TIMEOUT,
    ) -> None:
        self.epoch = now()
        self.outbox = Outbox(publish, spool, now=now, jitter=jitter, timeout=timeout)
        self._spool = spool
        self._now, self._monotonic = now, monotonic
        self._workers = {
            source.name: Worker(source, partial(self._hand_over, Batcher(source.instance, labels)))
            for source in sources
        }
        if len(self._workers) < len(sources):
            raise ValueError("two sources have the same name")
        self._sealer = Sealer(producer, self.epoch, tenant)
        self._seed = producer
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._work = threading.Event()
        self._threads: list[threading.Thread] = []
        self.missed = 0

    def start(self) -> None:
        """Begin to read and to send."""
        for worker in self._workers.values():
            worker.start()
        for name, run in (("agent-schedule", self._keep_time), ("agent-send", self._send)):
            self._threads.append(threading.Thread(target=run, name=name, daemon=True))
            self._threads[-1].start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End within `timeout` s; whether everything read was sent or spooled by then."""
        until = self._monotonic() + timeout
        self._stopping.set()
        grace = self._monotonic() + min(GRACE, timeout / 2)
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.abandon(grace - self._monotonic())
        self._work.set()
        for thread in self._threads:
            thread.join(max(0.0, until - self._monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.error("agent did not stop in time", extra={"seconds": timeout})
            return False
        self._threads.clear()
        safe = self.outbox.close(self._monotonic())
        if self._spool is not None:
            self._spool.close()
        return safe

    def figures(self) -> dict[str, float]:
        """Counters and gauges for /metrics, by name."""
        workers = list(self._workers.values())
        spool, outbox = self._spool, self.outbox
        return {
            "tocsin_agent_readings_total": sum(worker.readings for worker in workers),
            "tocsin_agent_reading_failures_total": sum(worker.failures for worker in workers),
            "tocsin_agent_late_readings_total": sum(worker.late for worker in workers),
            "tocsin_agent_missed_ticks_total": self.missed,
            "tocsin_agent_batches_sent_total": outbox.sent,
            "tocsin_agent_batches_spooled_total": outbox.spooled,
            "tocsin_agent_batches_resent_total": outbox.resent,
            "tocsin_agent_batches_refused_total": outbox.refused,
            "tocsin_agent_batches_dropped_total": (
                outbox.overflowed + (spool.dropped if spool else 0)
            ),
            "tocsin_agent_spool_damaged_total": spool.damaged if spool else 0,
            "tocsin_agent_spool_bytes": spool.size if spool else 0,
            "tocsin_agent_batches_waiting": outbox.waiting,
            "tocsin_agent_log_away": float(bool(outbox.away)),
        }

    def _keep_time(self) -> None:
        intervals = {
            name: max(1, worker.source.interval // timedelta(milliseconds=1))
            for name, worker in self._workers.items()
        }
        schedule = Schedule(intervals, self._tick(), self._seed)
        while not self._stopping.is_set():
            for due in schedule.take(self._tick()):
                self._look(due)
            following = schedule.next()
            wait = None if following is None else max(0.0, (following - self._tick()) / 1_000)
            self._stopping.wait(wait)

    def _tick(self) -> int:
        return int(self._monotonic() * 1_000)

    def _look(self, due: Due) -> None:
        self.missed += due.missed
        if not self._workers[due.name].ask(self._now()):
            self.missed += 1

    def _hand_over(self, batcher: Batcher, observation: Observation) -> None:
        # Under one lock, so that sequence numbers are in the order of the queue.
        with self._lock:
            events = batcher.events(observation)
            self.outbox.put([self._sealer.seal(event) for event in events])
        self._work.set()

    def _send(self) -> None:
        while not self._stopping.is_set():
            self._work.clear()
            try:
                wait = self.outbox.step(self._monotonic())
            except Exception:  # a fault of ours must not end the sending
                log.exception("sending failed")
                wait = 1.0
            if wait is None or wait > 0:
                self._work.wait(wait)
