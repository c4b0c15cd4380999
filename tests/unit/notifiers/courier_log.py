"""A log in memory and a channel, for the loop between them."""

from collections.abc import Mapping, Sequence
from threading import Event, Lock

import pytest

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.courier import Clock, Courier
from notifiers.courier_loop import CourierLoop
from schemas.deliveries import Receipt
from schemas.envelope import Envelope, Producer
from schemas.errors import LogAway
from schemas.stage import Gap, Partition, Position, Record
from schemas.stage import Message as Wire
from schemas.topics import ALERTS, CODEC, DELIVERIES
from tests.unit.notifiers.deliveries import delivery

PARTITION = Partition(DELIVERIES, 0)


class Log:
    """An inbox and a publisher in memory."""

    def __init__(self, *values: bytes, ends: Event) -> None:
        self.records = [Record(PARTITION, n, 0, "ops", value) for n, value in enumerate(values)]
        self.ends = ends
        self.polled = 0
        self.committed = 0
        self.published: list[Wire] = []
        self.away = 0
        self.trail: list[str] = []
        self.owned = frozenset({PARTITION})
        self.is_sure = True
        self.lost: list[Gap] = []

    def poll(self, timeout: float, limit: int = 500) -> list[Record]:
        found, self.polled = self.records[self.polled :], len(self.records)
        return found

    def publish(self, messages: Sequence[Wire], timeout: float = 30.0) -> list[Position]:
        if self.away:
            self.away -= 1
            raise LogAway
        self.published += messages
        self.trail.append("published")
        return []

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.committed = offsets[PARTITION]
        self.trail.append("committed")
        if self.committed == len(self.records):
            self.ends.set()

    def gaps(self) -> list[Gap]:
        lost, self.lost = self.lost, []
        return lost

    def lag(self) -> Mapping[Partition, int]:
        return {PARTITION: len(self.records) - self.polled}

    def assigned(self) -> frozenset[Partition]:
        return self.owned

    def sure(self) -> bool:
        return self.is_sure

    def close(self) -> None: ...

    def receipts(self) -> list[str]:
        events = [CODEC.decode(one.value).event for one in self.published if one.topic == ALERTS]
        return [one.delivery for one in events if isinstance(one, Receipt)]


class Settling(Log):
    """One that appends and commits at once."""

    def settle(self, messages: Sequence[Wire], offsets: Mapping[Partition, int]) -> None:
        if self.away:
            self.away -= 1
            raise LogAway
        self.published += messages
        self.trail.append("settled")
        if offsets:
            self.committed = offsets[PARTITION]
        if self.committed == len(self.records):
            self.ends.set()

    def publish(self, messages: Sequence[Wire], timeout: float = 30.0) -> list[Position]:
        raise AssertionError("published what was to be settled")

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        raise AssertionError("committed what was to be settled")


either = pytest.mark.parametrize("make", [Log, Settling])


class Hooks:
    """A channel that says what passes through it, and may wait for a sign."""

    def __init__(self, *slow: str) -> None:
        self.sent: list[str] = []
        self.slow = {name: Event() for name in slow}
        self.started = Event()
        self._lock = Lock()

    def send(self, message: Message) -> None:
        name = message.delivery.id
        self.started.set()
        if name in self.slow and not self.slow[name].wait(10):
            raise DeliveryFailed(Failure.TIMED_OUT, retry=False)
        with self._lock:
            self.sent.append(name)

    def close(self) -> None: ...


class Broken:
    """A channel that always fails, and is worth another try."""

    def send(self, message: Message) -> None:
        raise DeliveryFailed(Failure.SERVER_ERROR, retry=True)

    def close(self) -> None: ...


def value(
    name: str, group: str = "g", receiver: str = "ops", attempt: int = 1, event_id: str = ""
) -> bytes:
    event = delivery(id=name, group_key=group, receiver=receiver, attempt=attempt)
    return CODEC.encode(Envelope(event_id or name, Producer("router"), 0, event))


def loop(log: Log, channel: Hooks, **fields: object) -> CourierLoop:
    clock = Clock(lambda: 0, lambda: 0.0, log.ends.wait, lambda: 0.0)
    courier = Courier({("ops", 0): channel, ("other", 0): channel}, clock)
    return CourierLoop(log, log, courier, log.ends, lambda: 0, **fields)  # type: ignore[arg-type]
