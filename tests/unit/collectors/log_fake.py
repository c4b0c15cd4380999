"""A log in memory that answers as it is told: what the agent's tests publish to."""

import threading
from collections.abc import Callable, Iterable, Sequence

from schemas.envelope import Envelope
from schemas.errors import LogAway, Refused
from schemas.stage import Message, Partition, Position
from schemas.topics import CODEC

OK, AWAY, LOST = "ok", "away", "lost acknowledgement"


class FakeLog:
    """Takes messages, or is away, or takes them and loses its answer."""

    def __init__(
        self, outcomes: Iterable[str] = (), refuse: Callable[[Message], bool] | None = None
    ):
        self.outcomes = list(outcomes)
        self.always = OK
        self.got: list[Message] = []
        self.groups: list[list[Message]] = []
        self.changed = threading.Condition()
        self._refuse = refuse

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        with self.changed:
            outcome = self.outcomes.pop(0) if self.outcomes else self.always
            if self._refuse and any(map(self._refuse, messages)):
                raise Refused("one of them is bad")
            if outcome != AWAY:
                self.got += messages
                self.groups.append(list(messages))
            self.changed.notify_all()
            if outcome != OK:
                raise LogAway(outcome)
            return [Position(Partition(each.topic, 0), i, 0) for i, each in enumerate(messages)]

    def wait_for(self, satisfied: Callable[[list[Envelope]], bool], timeout: float = 10.0) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: satisfied(self.envelopes()), timeout)

    def envelopes(self) -> list[Envelope]:
        return [CODEC.decode(each.value) for each in self.got]


def as_a_reader_sees(envelopes: Iterable[Envelope]) -> list[int]:
    """The sequence numbers that a stage acts on: higher than the last of their epoch."""
    last: dict[int, int] = {}
    seen = []
    for envelope in envelopes:
        producer = envelope.producer
        if producer.sequence > last.get(producer.epoch, 0):
            last[producer.epoch] = producer.sequence
            seen.append(producer.sequence)
    return seen
