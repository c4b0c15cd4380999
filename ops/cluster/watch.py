"""The newest facts of a cluster, asked for in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from ops.cluster.facts import Facts
from ops.runtime.threads import Worker
from schemas.errors import LogAway, Refused

log = logging.getLogger("tocsin.console")

EVERY = 2.0
OLD = 30.0
"""Seconds after which facts tell nothing of now."""


class Ask(Protocol):
    """Finds facts; see `ops.cluster.kafka_ask.KafkaAsk`."""

    def facts(self) -> Facts: ...
    def close(self) -> None: ...


class Watch:
    """Asks every two seconds. `fault` says why that failed last; empty while it does not."""

    def __init__(
        self,
        ask: Callable[[], Ask],
        every: float = EVERY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fault = "it was not asked yet"
        self._ask = ask
        self._every = every
        self._monotonic = monotonic
        self._found: tuple[float, Facts] | None = None
        self.worker = Worker("watch", self._work)

    def facts(self) -> Facts | None:
        """The newest, unless they are old."""
        found = self._found
        if found is None or self._monotonic() - found[0] > OLD:
            return None
        return found[1]

    def _work(self, stop: threading.Event) -> None:
        ask = self._ask()
        try:
            while not stop.is_set():
                asked = self._monotonic()
                try:
                    self._found = (asked, ask.facts())
                except (LogAway, Refused) as fault:
                    if not self.fault:
                        log.warning("cluster not asked", extra={"error": str(fault)})
                    self.fault = str(fault) or "Kafka does not answer"
                else:
                    self.fault = ""
                stop.wait(self._every)
        finally:
            ask.close()
