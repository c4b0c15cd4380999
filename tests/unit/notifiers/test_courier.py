from collections.abc import Sequence

import pytest

from notifiers.channels.channel import DeliveryFailed, Failure, Message, Sent
from notifiers.courier import Clock, Courier
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Fate, Receipt
from schemas.envelope import Envelope, Producer
from schemas.errors import Reason
from schemas.stage import Output, Partition, Record
from schemas.topics import ALERTS, DEAD_LETTERS, DELIVERIES
from tests.unit.notifiers.deliveries import delivery

START = 1_700_000_060_000


class World:
    """Virtual time and a channel that fails as it is told to."""

    def __init__(
        self, *fates: DeliveryFailed | Exception | Sent | None, interrupted: bool = False
    ) -> None:
        self.fates = list(fates)
        self.interrupted = interrupted
        self.seconds = 0.0
        self.sent: list[str] = []
        self.slept: list[float] = []
        clock = Clock(
            lambda: START + round(self.seconds * 1_000),
            lambda: self.seconds,
            self.sleep,
            lambda: 1.0,
        )
        self.courier = Courier({("ops", 0): self}, clock)

    def sleep(self, seconds: float) -> bool:
        self.slept.append(seconds)
        self.seconds += seconds
        return self.interrupted

    def send(self, message: Message) -> Sent | None:
        self.sent.append(message.delivery.id)
        fate = self.fates.pop(0) if len(self.fates) > 1 else self.fates[0]
        if isinstance(fate, Exception):
            raise fate
        return fate

    def close(self) -> None: ...

    def deliver(self, **fields: object) -> Sequence[Output]:
        return deliver(self.courier, **fields)


def deliver(courier: Courier, **fields: object) -> Sequence[Output]:
    record = Record(Partition(DELIVERIES, 0), 7, START, "ops", b"original")
    return courier.deliver(
        record, Envelope("e", Producer("router"), START, delivery(**fields), "t")
    )


def receipt(outputs: Sequence[Output]) -> Receipt:
    assert outputs[0].topic == ALERTS
    assert outputs[0].key == "t"
    assert isinstance(outputs[0].event, Receipt)
    return outputs[0].event


AWAY = DeliveryFailed(Failure.SERVER_ERROR, retry=True)
BAD = DeliveryFailed(Failure.REJECTED, retry=False, detail="status 404")


def test_a_delivery_that_is_taken_is_one_receipt() -> None:
    outputs = World(None).deliver()
    assert len(outputs) == 1
    said = receipt(outputs)
    assert (said.fate, said.tries, said.delivery) == (Fate.DELIVERED, 1, delivery().id)


def test_what_the_channel_says_of_it_stands_in_the_receipt() -> None:
    said = receipt(World(Sent("not to bob", "C1:1.2")).deliver())
    assert (said.fate, said.detail, said.reference) == (Fate.DELIVERED, "not to bob", "C1:1.2")


def test_it_tries_again_under_the_same_id_with_growing_pauses() -> None:
    world = World(AWAY, AWAY, None)
    said = receipt(world.deliver())
    assert (said.fate, said.tries) == (Fate.DELIVERED, 3)
    assert world.slept == [0.5, 1.0]
    assert set(world.sent) == {delivery().id}


def test_after_five_failures_in_a_row_the_channel_is_left_alone_for_30_s() -> None:
    world = World(AWAY)
    said = receipt(world.deliver())
    assert (said.fate, said.tries, said.reason) == (Fate.RETRY, 5, "server error")
    assert said.retry_at is not None
    assert said.retry_at > START + 30_000
    second = receipt(world.deliver())
    assert (second.fate, second.tries, second.reason) == (Fate.RETRY, 0, "circuit open")
    world.fates = [None]
    world.seconds += 31
    assert receipt(world.deliver()).fate is Fate.DELIVERED


def test_patience_ends_after_30_s() -> None:
    world = World(DeliveryFailed(Failure.SERVER_ERROR, retry=True, retry_after=12.0))
    said = receipt(world.deliver())
    assert (said.fate, said.tries) == (Fate.RETRY, 3)
    assert world.seconds <= 30


def test_a_long_retry_after_is_handed_to_the_router_at_once() -> None:
    world = World(DeliveryFailed(Failure.RATE_LIMITED, retry=True, retry_after=3_600.0))
    said = receipt(world.deliver())
    assert (said.fate, said.tries, said.retry_at) == (Fate.RETRY, 1, START + 3_600_000)
    assert world.slept == []


def test_when_the_worker_ends_it_answers_at_once() -> None:
    world = World(AWAY, interrupted=True)
    assert receipt(world.deliver()).fate is Fate.RETRY
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    ("fault", "reason"), [(BAD, "rejected"), (KeyError("secret"), "channel broke")]
)
def test_what_cannot_be_delivered_is_refused_and_buried(fault: Exception, reason: str) -> None:
    first, letter = World(fault).deliver()
    said = receipt([first])
    assert (said.fate, said.reason) == (Fate.REFUSED, reason)
    assert letter.topic == DEAD_LETTERS
    assert isinstance(letter.event, DeadLetter)
    assert (letter.event.reason, letter.event.offset) == (Reason.DELIVERY_FAILED, 7)
    assert letter.event.original == b"original"
    assert "secret" not in letter.event.detail


def test_what_has_expired_is_not_sent() -> None:
    world = World(None)
    first, letter = world.deliver(expires_at=START)
    assert (receipt([first]).fate, receipt([first]).reason) == (Fate.REFUSED, "delivery expired")
    assert isinstance(letter.event, DeadLetter)
    assert letter.event.reason is Reason.DELIVERY_EXPIRED
    assert world.sent == []


@pytest.mark.parametrize("fields", [{"receiver": "other"}, {"integration": 1}])
def test_an_unknown_channel_is_refused(fields: dict[str, object]) -> None:
    first, letter = World(None).deliver(**fields)
    assert (receipt([first]).fate, receipt([first]).reason) == (Fate.REFUSED, "no such channel")
    assert letter.topic == DEAD_LETTERS


def test_ids_are_derived_from_delivery_attempt_and_fate() -> None:
    ids = {one.id for _ in range(2) for one in World(BAD).deliver()}
    assert len(ids) == 2
    assert not ids & {one.id for one in World(BAD).deliver(attempt=2)}
