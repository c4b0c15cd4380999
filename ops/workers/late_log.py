"""Kafka as a worker has it before Kafka answers, and when it refuses us."""

import threading
from collections.abc import Callable, Sequence

from ops.transport.log import Log
from ops.transport.log_clock import wall
from ops.transport.stage_log import Clock
from schemas.errors import LogAway, Refused, TooLarge
from schemas.stage import Inbox, Message, Position


class LateLog:
    """A log that is away until `open` succeeded once.

    What Kafka refuses while the worker runs (a changed password, a permission taken back) is
    away for the part, so that nothing is given up, and ends the process by `refused`.
    """

    def __init__(self, make: Callable[[], Log]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._log: Log | None = None
        self.refused = ""
        """What is to be mended before this can go on; empty while it can."""

    def open(self) -> None:
        """Connect. Raises `LogAway` or `Refused`."""
        with self._lock:
            if self._log is None:
                self._log = self._make()

    @property
    def clock(self) -> Clock:
        """The log's, else the machine's."""
        return wall if self._log is None else self._log.clock

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        """See `schemas.stage.Publish`."""
        log = self._there()
        try:
            return log.publish(messages, timeout)
        except TooLarge:
            raise
        except Refused as fault:
            self.refused = str(fault)
            raise LogAway(str(fault)) from fault

    def tell(self, messages: Sequence[Message], timeout: float) -> None:
        """Publish what the work does not need; that it is refused is this call's affair alone."""
        self._there().publish(messages, timeout)

    def inbox(self, group: str, topics: Sequence[str]) -> Inbox:
        """Join a consumer group."""
        log = self._there()
        try:
            return log.inbox(group, topics)
        except Refused as fault:
            self.refused = str(fault)
            raise LogAway(str(fault)) from fault

    def close(self) -> None:
        """Let go of it, if it was ever there."""
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def _there(self) -> Log:
        if self._log is None:
            raise LogAway("Kafka did not answer yet")
        return self._log
