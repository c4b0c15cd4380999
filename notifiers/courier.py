"""The courier: takes one delivery out, tries for up to 30 s, and answers with a receipt.

It keeps nothing: the delivery on the topic is the intent, the receipt says what became of it.
Every try and every attempt carry the same idempotency key, the delivery's id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from notifiers.breaker import Breaker
from notifiers.channels.channel import Channel, DeliveryFailed, Failure, Message, Sent
from schemas.dead_letter import DeadLetter
from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.envelope import Envelope
from schemas.errors import Reason
from schemas.labels import derived_id
from schemas.stage import Output, Record
from schemas.topics import ALERTS, DEAD_LETTERS

PATIENCE = 30.0
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 8.0
SHORTEST_TRY = 0.5


@dataclass(frozen=True, slots=True)
class Clock:
    """The world's time, as arguments: `now` in ms since 1970, `monotonic` in seconds.

    `sleep` answers True when it was interrupted because the worker ends; `jitter` draws from
    [0, 1).
    """

    now: Callable[[], int]
    monotonic: Callable[[], float]
    sleep: Callable[[float], bool]
    jitter: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Outcome:
    fate: Fate
    tries: int
    reason: str = ""
    detail: str = ""
    reference: str = ""
    retry_at: int | None = None
    bury: Reason | None = None


class Courier:
    """Delivers through the channels of its receivers; may be called from several threads.

    `prepare` makes of a delivery what channels are given: texts where it has templates.
    """

    name = "courier"

    def __init__(
        self,
        channels: Mapping[tuple[str, int], Channel],
        clock: Clock,
        patience: float = PATIENCE,
        prepare: Callable[[Delivery], Delivery] = lambda delivery: delivery,
    ) -> None:
        self._channels, self._clock, self._patience = channels, clock, patience
        self._prepare = prepare
        self._breakers = {name: Breaker() for name in channels}

    def deliver(
        self, record: Record, envelope: Envelope, failing: Callable[[], None] = lambda: None
    ) -> list[Output]:
        """Try; the receipt, and a dead letter for what will not be tried again.

        `failing` is called before each pause between two tries.
        """
        delivery = envelope.event
        assert isinstance(delivery, Delivery)
        started = self._clock.monotonic()
        outcome = self._outcome(delivery, started, failing)
        receipt = Receipt(
            delivery=delivery.id,
            group_key=delivery.group_key,
            receiver=delivery.receiver,
            integration=delivery.integration,
            channel=delivery.channel,
            fate=outcome.fate,
            attempt=delivery.attempt,
            tries=outcome.tries,
            at=self._clock.now(),
            duration=max(self._clock.monotonic() - started, 0.0),
            retry_at=outcome.retry_at,
            reason=outcome.reason,
            detail=outcome.detail[:1_000],
            reference=outcome.reference,
        )
        name = derived_id("receipt", delivery.id, delivery.attempt, outcome.fate)
        answer = Output(ALERTS, envelope.tenant, name, receipt, envelope.tenant, envelope.trace)
        if outcome.bury is None or delivery.why is Why.HEARTBEAT:
            # A heartbeat is worth nothing later, and whoever refuses one refuses each of them.
            return [answer]
        detail = f"{delivery.receiver}/{delivery.channel}[{delivery.integration}]: "
        detail += f"{outcome.reason}: {outcome.detail[:1_000]}"
        return [answer, self._dead_letter(record, envelope, outcome.bury, detail)]

    def bury(self, record: Record, reason: Reason, detail: str) -> Output:
        """The dead letter of a record that is no delivery."""
        name = derived_id("undecodable", record.partition.topic, record.partition.number)
        name = derived_id(name, record.offset)
        return Output(
            DEAD_LETTERS, record.partition.topic, name, self._letter(record, reason, detail)
        )

    def _dead_letter(
        self, record: Record, envelope: Envelope, reason: Reason, detail: str
    ) -> Output:
        delivery = envelope.event
        assert isinstance(delivery, Delivery)
        name = derived_id("dead-letter", delivery.id, delivery.attempt, Fate.REFUSED)
        letter = self._letter(record, reason, detail)
        topic = record.partition.topic
        return Output(DEAD_LETTERS, topic, name, letter, envelope.tenant, envelope.trace)

    def _letter(self, record: Record, reason: Reason, detail: str) -> DeadLetter:
        return DeadLetter(
            topic=record.partition.topic,
            partition=record.partition.number,
            offset=record.offset,
            stage=self.name,
            reason=reason,
            detail=detail,
            at=self._clock.now(),
            original=record.value,
        )

    def _outcome(self, delivery: Delivery, started: float, failing: Callable[[], None]) -> _Outcome:
        if self._clock.now() >= delivery.expires_at:
            expired = Reason.DELIVERY_EXPIRED
            return _Outcome(Fate.REFUSED, 0, str(expired), "nothing was sent", bury=expired)
        key = (delivery.receiver, delivery.integration)
        channel = self._channels.get(key)
        if channel is None:
            detail = "the courier's configuration has no such receiver or integration"
            return _refused(0, Failure.NO_CHANNEL, detail)
        return self._try(channel, self._breakers[key], self._prepare(delivery), started, failing)

    def _try(
        self,
        channel: Channel,
        breaker: Breaker,
        delivery: Delivery,
        started: float,
        failing: Callable[[], None],
    ) -> _Outcome:
        tries = 0
        fault = DeliveryFailed(Failure.CIRCUIT_OPEN, retry=True)
        while True:
            if (wait_until := breaker.closed_at(self._clock.now())) is not None:
                return _later(tries, fault, wait_until)
            left = self._patience - (self._clock.monotonic() - started)
            tries += 1
            try:
                said = channel.send(Message(delivery, max(left, SHORTEST_TRY))) or Sent()
            except DeliveryFailed as failed:
                fault = failed
            except Exception as broken:  # a channel's own mistake must not stop the others
                fault = DeliveryFailed(
                    Failure.BROKEN_CHANNEL, retry=False, detail=type(broken).__name__
                )
            else:
                breaker.succeeded()
                return _Outcome(Fate.DELIVERED, tries, detail=said.note, reference=said.reference)
            if not fault.retry:
                # It answered: that one message was refused says nothing of the next.
                breaker.succeeded()
                return _refused(tries, fault.reason, fault.detail)
            breaker.failed(self._clock.now())
            pause = self._pause(tries, fault)
            left = self._patience - (self._clock.monotonic() - started)
            failing()
            if pause + SHORTEST_TRY > left or self._clock.sleep(pause):
                return _later(tries, fault, self._clock.now() + round(1_000 * pause))

    def _pause(self, tries: int, fault: DeliveryFailed) -> float:
        backoff = min(FIRST_BACKOFF * 2.0 ** min(tries - 1, 16), LONGEST_BACKOFF)
        # From half of it up to all of it: receivers that failed together do not come together.
        backoff *= 0.5 + self._clock.jitter() / 2
        return max(backoff, fault.retry_after or 0.0)


def _refused(tries: int, reason: Failure, detail: str) -> _Outcome:
    return _Outcome(Fate.REFUSED, tries, reason, detail, bury=Reason.DELIVERY_FAILED)


def _later(tries: int, fault: DeliveryFailed, at: int) -> _Outcome:
    return _Outcome(Fate.RETRY, tries, fault.reason, fault.detail, retry_at=at)
