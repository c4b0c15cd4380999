"""A membership in one of Kafka's consumer groups: what is ours, what went, what came back."""

import math
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka import errors as kafka_errors
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from ops.transport.kafka_clients import CLOSES_WITHIN, PATIENCE, Clients, said

_MS = int(PATIENCE * 1000)
_ABSENT = 60.0
"""Seconds without a poll after which a member loses what it has; so long a member that hangs can
hold up the others."""
_TAKING = 1_000
"""ms, at most, for taking up a join that has ended: it is there, so no time passes."""
_PROBE = 3.0
"""Seconds for the answer to whether the broker is there at all."""


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Owns the consumer. Partitions are dealt out so that each stays where it is, if it can.

    What was lost and came back at once is `owned` only after `welcome`, by which the caller says
    that it saw it missing: it goes on where the group committed, not where the caller is.
    Raises `LogAway` where the broker does not answer, also for topics that are missing.
    """

    def __init__(self, clients: Clients, group: str, topics: Sequence[str]) -> None:
        self._clients = clients
        self._assignor = CooperativeStickyAssignor()
        self._back: set[TopicPartition] = set()
        self.owned: frozenset[TopicPartition] = frozenset()
        self.dropped: set[TopicPartition] = set()
        """What went since `welcome`."""
        self.heard = time.monotonic()
        self._named_member = -math.inf
        self._first = TopicPartition(clients.named(topics[0]), 0)
        self.consumer: KafkaConsumer = clients.consumer(
            group_id=clients.named(group),
            partition_assignment_strategy=[self._assignor],
            max_poll_interval_ms=int(_ABSENT * 1000),
        )
        try:
            with said(clients.settings):
                named = [clients.named(topic) for topic in topics]
                self._ended = keep_joins(self.consumer)
                self._follow_heartbeats()
                self.consumer.subscribe(named, listener=self)
                # A member that does not know its topics yet would deal out none of them.
                self.consumer.end_offsets([TopicPartition(name, 0) for name in named], _MS)
        except BaseException:
            self.close()
            raise

    def keep(self) -> None:
        """What a member has to do now and then, without waiting for anything."""
        coordinator = self.consumer._coordinator
        if self._ended:
            # A leader that has dealt out what is new thinks that nothing is left to be done.
            coordinator.request_rejoin()
        # An error will be the next poll's, who can say so.
        with suppress(kafka_errors.KafkaError, OSError):
            coordinator.poll(timeout_ms=_TAKING if self._ended else 0)

    def welcome(self) -> None:
        """The caller has seen what went: what came back of it may be its own again."""
        self.dropped.clear()
        back, self._back = self._back, set()
        if back:
            self.consumer.resume(*back)
            self.owned |= back

    @property
    def silence(self) -> float:
        """Seconds since the broker was last heard of; in peace it answers signs of life."""
        heartbeat = self.consumer._coordinator.heartbeat
        return time.monotonic() - float(max(self.heard, heartbeat.last_receive))

    @property
    def silence_of_group(self) -> float:
        """Seconds since that heartbeat was sent which the group last answered as a member's.

        kafka-python's own times begin anew with every answer that has anything to do with a group,
        and with when it was looked at: an old one that waited for a process that slept is new then.
        """
        return time.monotonic() - self._named_member

    def listen(self) -> None:
        """Nothing came: because there is nothing, or because nobody answers?"""
        if self.silence < PATIENCE:
            return
        with said(self._clients.settings):
            self.consumer.end_offsets([self._first], timeout_ms=int(_PROBE * 1000))
        self.heard = time.monotonic()

    def _follow_heartbeats(self) -> None:
        coordinator = self.consumer._coordinator
        send = coordinator._send_heartbeat_request

        async def sent() -> None:
            at = time.monotonic()
            try:
                await send()
            except kafka_errors.RebalanceInProgressError:
                self._named_member = at
                raise
            self._named_member = at

        coordinator._send_heartbeat_request = sent

    def close(self) -> None:
        """Leave without committing; within seconds, also where no broker answers."""
        self.owned = frozenset()
        try:
            with suppress(kafka_errors.KafkaError, OSError):
                self.consumer.close(autocommit=False, timeout_ms=int(CLOSES_WITHIN * 1000))
        finally:
            # Where leaving fails, its connections and its thread would stay.
            self.consumer._client.close()

    # kafka-python calls these from a thread of its own, while ours waits for it.

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """See `ConsumerRebalanceListener`."""
        came = set(assigned)
        again = came & self.dropped
        self._back |= again
        self.consumer.pause(*again)
        self.owned |= came - again
        self.heard = time.monotonic()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """See `ConsumerRebalanceListener`."""
        went = set(revoked)
        self._back -= went
        self.dropped |= went
        self.owned -= went

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """See `ConsumerRebalanceListener`."""
        self.on_partitions_revoked(lost)
        # Nor must it claim in the next round what others may have by now.
        self._assignor.member_assignment = None


def keep_joins(consumer: KafkaConsumer) -> Sequence[Any]:
    """Take up a join that ended while nobody polled; what waits for that is in the answer.

    kafka-python 3.0 forgets it and joins again, so that members whose polls are shorter than a
    rebalance chase one another through thousands of generations and own nothing.
    """
    coordinator = consumer._coordinator
    join, taken = coordinator._do_join_and_sync_async, coordinator._on_join_complete_async
    lock = threading.Lock()
    ended: list[tuple[Any, Any]] = []

    async def joined() -> Any:
        with lock:
            # Out of the group by now, or in a later generation: it is worth nothing any more.
            if ended and ended[0][0] == coordinator._generation:
                return ended[0][1]
            ended.clear()
        assignment = await join()
        with lock:
            ended[:] = [(coordinator._generation, assignment)]
        return assignment

    async def complete(*given: Any) -> None:
        with lock:
            ended.clear()
        await taken(*given)

    coordinator._do_join_and_sync_async = joined
    coordinator._on_join_complete_async = complete
    return ended
