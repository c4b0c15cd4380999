"""The courier's loop: deliveries in, several at once, receipts out, then offsets in order.

Steps of a turn: 1. poll; 2. let threads take the first delivery of each idle lane; 3. collect what
they came to; 4. publish receipts and dead letters, acknowledged; 5. commit each partition up to
its first delivery that is not answered yet. Where the log can, 4 and 5 are one transaction.

Threads go on with what waits while the loop publishes (see `notifiers.lanes`). The loop's own
thread alone uses the inbox and the publisher.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event

from notifiers.courier import Courier
from notifiers.lanes import MOST_THREADS, Answer, Key, Lanes, Task
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.envelope import Envelope, Producer
from schemas.errors import LogAway, Reason, Undecodable
from schemas.stage import Inbox, Message, Output, Partition, Publish, Record, Settle
from schemas.topics import CODEC

log = logging.getLogger("tocsin.courier")

MOST_WAITING = 1_000
_TURN, _IDLE, _AWAY = 0.02, 0.2, 1.0


@dataclass(slots=True)
class CourierLoop:
    """Runs a courier between an inbox of deliveries and a publisher, until `stop` is set.

    `crash` is called at the boundaries where a test may end the process; `now` in ms. `count`
    hears of every receipt (`delivery:CHANNEL:FATE`) and dead letter (`dead:REASON`). `remembered`
    outlives the loop if its owner keeps it: what was answered behind an open delivery is read
    again by the next loop, and not sent again. An inbox that is a `Settle` takes the receipts,
    too, and `publish` is not used.
    """

    inbox: Inbox
    publish: Publish
    courier: Courier
    stop: Event
    now: Callable[[], int]
    producer: Producer = field(default_factory=lambda: Producer("courier"))
    crash: Callable[[str], None] = lambda point: None
    threads: int = 16
    """A channel gets a quarter of them, so that one that hangs does not stop the others; what takes
    long comes on top, up to `MOST_THREADS`."""
    failing: dict[Key, str] = field(default_factory=dict)
    count: Callable[[str, int], None] = lambda event, amount: None
    remembered: OrderedDict[Key, Output] = field(default_factory=OrderedDict)
    _lanes: Lanes = field(init=False)
    _open: dict[Partition, dict[int, bool]] = field(default_factory=dict)
    _behind: bool = False
    _away: bool = False

    def __post_init__(self) -> None:
        self._lanes = Lanes(self.threads, self.remembered)

    def run(self) -> None:
        """Work until `stop` is set, then finish what is under way (its sleeps are cut short)."""
        with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="courier") as pool:
            try:
                while not self.stop.is_set():
                    self.turn(pool)
            finally:
                self._lanes.close()
            while self._lanes.running:
                self._collect(_IDLE)
            self._collect(0.0)

    def turn(self, pool: ThreadPoolExecutor) -> None:
        """One turn of the loop."""
        if self._lanes.waiting < MOST_WAITING:
            for record in self._poll(0.0 if self._lanes.running or self._lanes.waiting else _IDLE):
                self._take(record)
        self._owned()
        for _ in range(self._lanes.startable()):
            pool.submit(self._work)
        self._collect(_TURN)
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
            if not self._lanes.running:
                self.stop.wait(_AWAY)
            return []
        self._away = False
        for gap in self.inbox.gaps():
            log.error(
                "deliveries lost to retention",
                extra={"topic": gap.partition.topic, "first": gap.first, "resumed": gap.resumed},
            )
            self.count("gap", max(0, gap.resumed - gap.first))
        owned = self._owned()
        return [record for record in records if record.partition in owned]

    def _owned(self) -> AbstractSet[Partition]:
        """What is owned now. Every answer counts: what is missing in it may be back in the next."""
        owned = self.inbox.assigned()
        for partition in self._open.keys() - owned:
            # Another member reads it now, or we do anew, from what was committed.
            del self._open[partition]
        self._lanes.owns(owned, self.inbox.sure())
        return owned

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
        self._lanes.add(Task(record, envelope, lane, (envelope.id, delivery.attempt)))

    def _work(self) -> None:
        while not self.stop.is_set() and (task := self._lanes.take()) is not None:
            self._lanes.answer(self._answer(task))

    def _answer(self, task: Task) -> Answer:
        if (known := self._lanes.known(task)) is not None:
            return Answer(task, [known])
        try:
            self.crash("courier.before-send")
            outputs = self.courier.deliver(
                task.record, task.envelope, partial(self._lanes.fails, task)
            )
            self.crash("courier.after-send")
        except BaseException as fault:
            return Answer(task, [], fault)
        return Answer(task, outputs)

    def _collect(self, timeout: float) -> None:
        answers = self._lanes.answers(timeout)
        for answer in answers:
            if answer.fault is not None:
                raise answer.fault
        self._finish([(answer.task.record, answer.outputs) for answer in answers])
        self._lanes.settled(len(answers))

    def _finish(self, done: Sequence[tuple[Record, list[Output]]]) -> None:
        if not done:
            return
        messages = [self._message(output) for _, outputs in done for output in outputs]
        for record, _ in done:
            if record.offset in (offsets := self._open.get(record.partition, {})):
                offsets[record.offset] = True
        if isinstance(self.inbox, Settle):
            self._settle(self.inbox, messages)
        else:
            self._insist(lambda: self.publish.publish(messages))
            self.crash("courier.after-receipt")
            self._commit()
        for _, outputs in done:
            for output in outputs:
                self.count(_event(output), 1)
                if isinstance(output.event, Receipt):
                    self._note(output.event)

    def _settle(self, inbox: Settle, messages: Sequence[Message]) -> None:
        """Receipts and offsets at once; what is read again after a crash has no receipt."""
        ends = self._ends()
        self._insist(lambda: inbox.settle(messages, ends))
        self.crash("courier.after-receipt")
        self._forget(ends)

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

    def _insist(self, append: Callable[[], object]) -> None:
        """Append until it is acknowledged; receipts have derived ids, so a repeat is harmless."""
        while True:
            try:
                append()
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
        ends = self._ends()
        try:
            if ends:
                self.inbox.commit(ends)
        except LogAway:
            # The receipts are there; only this process must remember that until the next turn.
            self._behind = True
            return
        self._behind = False
        self._forget(ends)

    def _ends(self) -> dict[Partition, int]:
        """Where each partition may go on: at its first delivery that is not answered yet."""
        self._owned()
        ends: dict[Partition, int] = {}
        for partition, offsets in self._open.items():
            for offset, answered in offsets.items():
                if not answered:
                    break
                ends[partition] = offset + 1
        return ends

    def _forget(self, ends: Mapping[Partition, int]) -> None:
        for partition, end in ends.items():
            left = self._open[partition]
            while left and (first := next(iter(left))) < end:
                del left[first]


def _event(output: Output) -> str:
    event = output.event
    if isinstance(event, Receipt):
        return f"delivery:{event.channel}:{event.fate}"
    return f"dead:{event.reason}" if isinstance(event, DeadLetter) else event.KIND
