"""What the agent has to send: in memory while the log answers, on disk while it does not."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from collectors.retry import Throttled, backoff
from collectors.spool import Spool
from schemas.checks import CheckResult
from schemas.envelope import Envelope
from schemas.errors import LogAway, Refused, Undecodable
from schemas.metrics import MetricBatch
from schemas.stage import Message, Publish
from schemas.topics import CODEC, METRICS

log = logging.getLogger(__name__)

GROUP = 200
GROUP_BYTES = 1_000_000
"""Messages and bytes of one publish, roughly: a group is also what a lost answer repeats."""
MEMORY = 16 * 1024 * 1024
TIMEOUT = 5.0


class Outbox:
    """Sends envelopes in the order in which they were put.

    While the log is away everything goes to the spool, and what is put later queues behind it.
    Without a spool, or while the disk takes nothing, memory holds the newest `memory` bytes. What
    the log refuses for good is counted and left behind, so that it blocks nothing. `put` is for
    any thread; `step` and `close` for one. `now` (ms) stamps `sent_at`, at every attempt anew.
    """

    def __init__(
        self,
        publish: Publish,
        spool: Spool | None,
        *,
        now: Callable[[], int],
        jitter: Callable[[], float],
        memory: int = MEMORY,
        timeout: float = TIMEOUT,
    ) -> None:
        self.sent = self.spooled = self.resent = self.refused = self.overflowed = 0
        self.away = ""
        """Why the log does not answer; empty while it does."""
        self._publish, self._spool = publish, spool
        self._now, self._jitter = now, jitter
        self._memory, self._timeout = memory, timeout
        self._lock = threading.Lock()
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._failures = 0
        self._retry_at = float("-inf")
        self._pause = 0.0
        self._unsure = 0

    @property
    def waiting(self) -> int:
        """How many messages are in memory and on disk."""
        return len(self._queue) + (self._spool.pending if self._spool else 0)

    def put(self, envelopes: Sequence[Envelope]) -> None:
        """Queue behind everything before."""
        for envelope in envelopes:
            try:
                payload = CODEC.encode(envelope)
            except (TypeError, ValueError) as fault:
                self._refuse(f"cannot be encoded: {fault}")
                continue
            with self._lock:
                self._queue.append(payload)
                self._bytes += len(payload)
                self._trim()

    def step(self, at: float) -> float | None:
        """Send one group, or keep it safe; `at` is a monotonic clock's, in seconds.

        Answers in how many seconds to call again: 0 while there is more to do, None when only a
        `put` makes more to do.
        """
        if at < self._retry_at:
            self._save()
            return self._retry_at - at
        if self._spool is not None and self._spool.pending:
            self._save()
            went = self._send_spooled(self._spool)
        else:
            went = self._send_queued()
        if went:
            self._failures = 0
            return 0.0 if self.waiting else None
        self._failures += 1
        self._retry_at = at + max(self._pause, backoff(self._failures, self._jitter()))
        self._save()
        return self._retry_at - at

    def close(self, at: float) -> bool:
        """Leave nothing unsent: what the log does not take now goes to the spool.

        Answers whether everything is in the log or on the disk.
        """
        spooling = self._spool is not None and (self._spool.pending or at < self._retry_at)
        went = not spooling
        while went and self._queue:
            went = self._send_queued()
        self._save()
        if self._queue:
            self.overflowed += len(self._queue)
            log.error("agent stopped with unsent batches", extra={"batches": len(self._queue)})
        return not self._queue

    def _send_queued(self) -> bool:
        group = self._take()
        done = 0
        try:
            done = self._send(group)
        finally:
            self._put_back(group[done:])
        return done == len(group) or done > 0

    def _send_spooled(self, spool: Spool) -> bool:
        records = spool.peek(GROUP, GROUP_BYTES)
        if not records:
            return not spool.pending
        done = self._send([record.payload for record in records])
        if done:
            spool.acknowledge(records[done - 1].number)
        return done > 0

    def _send(self, payloads: Sequence[bytes]) -> int:
        """How many, from the first on, need no more care."""
        messages: list[Message] = []
        for payload in payloads:
            try:
                messages.append(self._stamped(payload))
            except Undecodable as fault:
                if not messages:
                    self._refuse(str(fault))
                    return 1
                break
        try:
            return self._offer(messages) if messages else 0
        except Refused as fault:
            if len(messages) == 1:
                self._refuse(str(fault))
                return 1
        # One of them is refused; only singly is it seen which.
        return self._send(payloads[:1])

    def _offer(self, messages: Sequence[Message]) -> int:
        self.resent += min(self._unsure, len(messages))
        self._unsure, self._pause = 0, 0.0
        try:
            self._publish.publish(messages, self._timeout)
        except Refused:
            raise
        except Exception as fault:  # a door that raises what it should not must cost no data
            if not isinstance(fault, LogAway):
                log.exception("publisher failed")
            self._unsure = len(messages)
            self._pause = fault.wait if isinstance(fault, Throttled) else 0.0
            self._went_away(str(fault) or type(fault).__name__)
            return 0
        self.sent += len(messages)
        self._came_back()
        return len(messages)

    def _stamped(self, payload: bytes) -> Message:
        envelope = CODEC.decode(payload)._replace(sent_at=self._now())
        event = envelope.event
        if isinstance(event, MetricBatch | CheckResult):
            key = event.instance
        else:
            key = envelope.producer.name
        return Message(METRICS, key, CODEC.encode(envelope))

    def _save(self) -> None:
        """Move what is in memory to the disk, as far as the disk takes it."""
        while self._spool is not None and self._queue:
            group = self._take()
            if not self._spool.append(group):
                self._put_back(group)
                return
            self.spooled += len(group)

    def _take(self) -> list[bytes]:
        with self._lock:
            group: list[bytes] = []
            size = 0
            while self._queue and len(group) < GROUP:
                size += len(self._queue[0])
                if group and size > GROUP_BYTES:
                    break
                group.append(self._queue.popleft())
                self._bytes -= len(group[-1])
            return group

    def _put_back(self, group: Sequence[bytes]) -> None:
        with self._lock:
            self._queue.extendleft(reversed(group))
            self._bytes += sum(map(len, group))
            self._trim()

    def _trim(self) -> None:
        while self._bytes > self._memory and self._queue:
            if not self.overflowed:
                log.error("memory for unsent batches is full and the oldest are dropped")
            self._bytes -= len(self._queue.popleft())
            self.overflowed += 1

    def _refuse(self, why: str) -> None:
        self.refused += 1
        log.error("batch was refused and is lost", extra={"error": why})

    def _went_away(self, why: str) -> None:
        if why != self.away:
            log.warning("log is away, batches are kept", extra={"error": why})
        self.away = why

    def _came_back(self) -> None:
        if self.away:
            log.info("log is back", extra={"waiting": self.waiting})
        self.away = ""
