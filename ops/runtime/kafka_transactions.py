"""The router's consumer group on kafka-python, whose offsets go into the drivers' transactions."""

import logging
import threading
from collections.abc import Sequence

from ops.runtime.partitions import Partitions
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_inbox import KafkaInbox
from schemas.errors import LogAway
from schemas.stage import Partition, Record

logger = logging.getLogger(__name__)

POLL = 0.2
"""Seconds a poll waits at most, which is soon enough for a stop and a rebalance."""


class KafkaGroup:
    """Feeds `partitions` from a topic, as a member of a group. Runs in a thread of its own."""

    def __init__(self, clients: Clients, topic: str, group: str) -> None:
        self._clients = clients
        self._topic = topic
        self._group = group
        self._inbox: KafkaInbox | None = None
        self.partitions: Partitions | None = None
        self.joined = threading.Event()
        """Set while this member has an assignment, an empty one included."""

    def member(self) -> object:
        """Under which membership offsets go into a transaction. Raises `LogAway`."""
        inbox = self._inbox
        if inbox is None:
            raise LogAway("not a member of the group")
        return inbox.member()

    def run(self, stop: threading.Event) -> None:
        """Until stopped; a log that is away is joined again."""
        while not stop.is_set():
            try:
                self._inbox = KafkaInbox(self._clients, self._group, [self._topic])
                self._feed(self._inbox, stop)
            except LogAway as fault:
                logger.warning("group left", extra={"group": self._group, "error": str(fault)})
                stop.wait(1.0)
            finally:
                self.joined.clear()
                inbox, self._inbox = self._inbox, None
                if inbox is not None:
                    inbox.close()

    def _feed(self, inbox: KafkaInbox, stop: threading.Event) -> None:
        partitions = self.partitions
        assert partitions is not None
        owned: frozenset[Partition] | None = None
        while not stop.is_set():
            records = inbox.poll(POLL)
            now = inbox.assigned()
            if now != owned:
                owned = now
                partitions.assign(partition.number for partition in owned)
                self.joined.set()
            # Of what was lost the driver hears as well, by a hole in the offsets, and counts it.
            for gap in inbox.gaps():
                feed = partitions.feed(gap.partition.number)
                if feed is not None:
                    feed.doubt(gap.first)
            for partition, end in inbox.ends().items():
                feed = partitions.feed(partition.number)
                if feed is not None:
                    feed.reaches(end)
            for partition, found in _by_partition(records).items():
                feed = partitions.feed(partition.number)
                if feed is not None:
                    feed.put(found)
            while any(self._full(partition) for partition in owned) and not stop.wait(0.05):
                if inbox.assigned() != owned:
                    break

    def _full(self, partition: Partition) -> bool:
        assert self.partitions is not None
        feed = self.partitions.feed(partition.number)
        return feed is not None and feed.full


def _by_partition(records: Sequence[Record]) -> dict[Partition, list[Record]]:
    found: dict[Partition, list[Record]] = {}
    for record in records:
        found.setdefault(record.partition, []).append(record)
    return found
