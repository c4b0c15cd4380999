"""The courier's loop: deliveries in, several at once, receipts out, then offsets in order.

Steps of a turn: 1. poll; 2. hand the first delivery of each idle lane to a thread; 3. collect
what the threads came to; 4. publish receipts and dead letters, acknowledged; 5. commit each
partition up to its first delivery that is not answered yet.

A lane is one channel of one group; its deliveries go one after another. One channel gets at most
a quarter of the threads, so that a dead receiver does not hold up the others. The loop's own
thread alone uses the inbox and the publisher.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic

from notifiers.courier import Courier
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.envelope import Envelope, Producer
from schemas.errors import LogAway, Reason, Undecodable
from schemas.stage import Inbox, Message, Output, Partition, Publish, Record
from schemas.topics import CODEC

log = logging.getLogger("tocsin.courier")

Lane = tuple[str, str, int]
Answer = tuple["_Task", list[Output] | BaseException]
MOST_WAITING = 1_000
MOST_REMEMBERED = 10_000
"""Receipts; each is at most some KiB."""
_TURN, _IDLE, _AWAY, _GATHER = 0.005, 0.2, 1.0, 0.002


@dataclass(slots=True)
class _Task:
    record: Record
    envelope: Envelope
    lane: Lane
    attempt: tuple[str, int]
    """The event's id, which a resend does not share, and which attempt it is."""


@dataclass(slots=True)
class CourierLoop:
    """Runs a courier between an inbox of deliveries and a publisher, until `stop` is set.

    `crash` is called at the boundaries where a test may end the process; `now` in ms. `count`
    hears of every receipt (`delivery:CHANNEL:FATE`) and dead letter (`dead:REASON`). `remembered`
    outlives the loop if its owner keeps it: what was answered behind an open delivery is read
    again by the next loop, and not sent again.
    """

    inbox: Inbox
    publish: Publish
    courier: Courier
    stop: Event
    now: Callable[[], int]
    producer: Producer = field(default_factory=lambda: Producer("courier"))
    crash: Callable[[str], None] = lambda point: None
    threads: int = 16
    """A channel gets a quarter of them, so that one that hangs does not stop the others."""
    failing: dict[tuple[str, int], str] = field(default_factory=dict)
    count: Callable[[str, int], None] = lambda event, amount: None
    remembered: OrderedDict[tuple[str, int], Output] = field(default_factory=OrderedDict)
    _lanes: dict[tuple[str, int], dict[Lane, deque[_Task]]] = field(default_factory=dict)
    """What waits, by channel: a channel that is busy costs nothing, however much waits for it."""
    _waiting: int = 0
    _running: dict[Lane, _Task] = field(default_factory=dict)
    _busy: dict[tuple[str, int], int] = field(default_factory=dict)
    _answers: SimpleQueue[Answer] = field(default_factory=SimpleQueue)
    _open: dict[Partition, dict[int, bool]] = field(default_factory=dict)
    _behind: bool = False
    _away: bool = False

    def run(self) -> None:
        """Work until `stop` is set, then finish what is under way (its sleeps are cut short)."""
        with ThreadPoolExecutor(self.threads, thread_name_prefix="courier") as pool:
            while not self.stop.is_set():
                self.turn(pool)
            while self._running:
                self._collect(_IDLE)

    def turn(self, pool: ThreadPoolExecutor) -> None:
        """One turn of the loop."""
        if self._waiting < MOST_WAITING:
            for record in self._poll(0.0 if self._running or self._waiting else _IDLE):
                self._take(record)
        self._start(pool)
        self._collect(_TURN if self._running else 0.0)
        if self._behind:
            self._commit()

    def _poll(self, timeout: float) -> Sequence[Record]:
        """What came; nothing while the log is away, and what is under way goes on."""
        try:
            records = self.inbox.poll(timeout)
        except LogAway as fault:
            if not self._away:
                log.warning("log away, trying again", extra={"error": str(fault)})
            self._away = True
            if not self._running:
                self.stop.wait(_AWAY)
            return []
        self._away = False
        for gap in self.inbox.gaps():
            log.error(
                "deliveries lost to retention",
                extra={"topic": gap.partition.topic, "first": gap.first, "resumed": gap.resumed},
            )
            self.count("gap", max(0, gap.resumed - gap.first))
        owned = self.inbox.assigned()
        for partition in self._open.keys() - owned:
            # Another member reads it now, or we do anew, from what was committed.
            del self._open[partition]
        return [record for record in records if record.partition in owned]

    def _take(self, record: Record) -> None:
        offsets = self._open.setdefault(record.partition, {})
        if offsets and record.offset < next(reversed(offsets)):
            # Read again: the order of offsets is what is committed by.
            offsets[record.offset] = False
            self._open[record.partition] = dict(sorted(offsets.items()))
        offsets[record.offset] = False
        try:
            envelope = CODEC.decode(record.value)
            if not isinstance(envelope.event, Delivery):
                raise Undecodable(Reason.UNKNOWN_SCHEMA, f"a {envelope.event.KIND}, no delivery")
        except Undecodable as fault:
            self._finish([(record, [self.courier.bury(record, fault.reason, fault.detail)])])
            return
        delivery = envelope.event
        lane = (delivery.group_key, delivery.receiver, delivery.integration)
        task = _Task(record, envelope, lane, (envelope.id, delivery.attempt))
        self._lanes.setdefault(lane[1:], {}).setdefault(lane, deque()).append(task)
        self._waiting += 1

    def _start(self, pool: ThreadPoolExecutor) -> None:
        most = max(1, self.threads // 4)
        owned = self.inbox.assigned() if self._lanes else frozenset()
        for channel in list(self._lanes):
            lanes = self._lanes[channel]
            free = most - self._busy.get(channel, 0)
            idle = (lane for lane in lanes if lane not in self._running)
            for lane in list(islice(idle, max(free, 0))):
                self._begin(pool, lane, owned)
            if not lanes:
                del self._lanes[channel]

    def _begin(self, pool: ThreadPoolExecutor, lane: Lane, owned: frozenset[Partition]) -> None:
        channel = lane[1:]
        waiting = self._lanes[channel][lane]
        task = waiting.popleft()
        self._waiting -= 1
        if not waiting:
            del self._lanes[channel][lane]
        if task.record.partition not in owned:
            # Its new owner reads it again; what is under way goes on, under the same id.
            return
        self._running[lane] = task
        self._busy[channel] = self._busy.get(channel, 0) + 1
        if (known := self.remembered.get(task.attempt)) is not None:
            # The router, too, publishes at least once: this very attempt was answered.
            self._answers.put((task, [known]))
        else:
            pool.submit(self._work, task)

    def _work(self, task: _Task) -> None:
        try:
            self.crash("courier.before-send")
            outputs = self.courier.deliver(task.record, task.envelope)
            self.crash("courier.after-send")
        except BaseException as fault:
            self._answers.put((task, fault))
        else:
            self._answers.put((task, outputs))

    def _collect(self, timeout: float) -> None:
        answers: list[Answer] = []
        try:
            answers.append(self._answers.get(timeout > 0, timeout))
            ends = monotonic() + _GATHER
            while True:
                # A commit costs more than a message: what ends together is answered together.
                left = ends - monotonic() if len(answers) < len(self._running) else 0.0
                answers.append(self._answers.get(left > 0, max(left, 0.0)))
        except Empty:
            pass
        done: list[tuple[Record, list[Output]]] = []
        for task, outputs in answers:
            if isinstance(outputs, BaseException):
                raise outputs
            del self._running[task.lane]
            self._busy[task.lane[1:]] -= 1
            # The receipt alone: a dead letter is as large as the record that it buries.
            self.remembered[task.attempt] = outputs[0]
            done.append((task.record, outputs))
        while len(self.remembered) > MOST_REMEMBERED:
            self.remembered.popitem(last=False)
        self._finish(done)

    def _finish(self, done: Sequence[tuple[Record, list[Output]]]) -> None:
        if not done:
            return
        self._send([self._message(output) for _, outputs in done for output in outputs])
        self.crash("courier.after-receipt")
        for record, outputs in done:
            if record.offset in (offsets := self._open.get(record.partition, {})):
                offsets[record.offset] = True
            for output in outputs:
                self.count(_event(output), 1)
                if isinstance(output.event, Receipt):
                    self._note(output.event)
        self._commit()

    def _note(self, receipt: Receipt) -> None:
        """Say once that a channel takes no messages, and once that it does again."""
        channel = (receipt.receiver, receipt.integration)
        known = self.failing.get(channel, "")
        reason = "" if receipt.fate is Fate.DELIVERED else receipt.reason or str(receipt.fate)
        if reason:
            self.failing[channel] = reason
        else:
            self.failing.pop(channel, None)
        if reason != known:
            log.warning(
                "channel fails" if reason else "channel delivers again",
                extra={
                    "receiver": receipt.receiver,
                    "integration": receipt.integration,
                    "channel": receipt.channel,
                    "reason": reason or known,
                    "delivery": receipt.delivery,
                },
            )

    def _send(self, messages: Sequence[Message]) -> None:
        """Publish until it is acknowledged; receipts have derived ids, so a repeat is harmless."""
        while True:
            try:
                self.publish.publish(messages)
            except LogAway:
                if self.stop.wait(_AWAY):
                    raise
            else:
                return

    def _message(self, output: Output) -> Message:
        envelope = Envelope(
            output.id, self.producer, self.now(), output.event, output.tenant, output.trace
        )
        return Message(output.topic, output.key, CODEC.encode(envelope))

    def _commit(self) -> None:
        owned = self.inbox.assigned()
        offsets: dict[Partition, int] = {}
        for partition in list(self._open):
            if partition not in owned:
                # Another member reads it now, from what was committed.
                del self._open[partition]
                continue
            for offset, answered in self._open[partition].items():
                if not answered:
                    break
                offsets[partition] = offset + 1
        try:
            if offsets:
                self.inbox.commit(offsets)
        except LogAway:
            # The receipts are there; only this process must remember that until the next turn.
            self._behind = True
            return
        self._behind = False
        for partition, end in offsets.items():
            left = self._open[partition]
            while left and (first := next(iter(left))) < end:
                del left[first]


def _event(output: Output) -> str:
    event = output.event
    if isinstance(event, Receipt):
        return f"delivery:{event.channel}:{event.fate}"
    return f"dead:{event.reason}" if isinstance(event, DeadLetter) else event.KIND
