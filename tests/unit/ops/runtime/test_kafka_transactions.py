"""The router's group: what its member tells the drivers besides records."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from ops.runtime import kafka_transactions
from ops.runtime.kafka_transactions import KafkaGroup
from ops.transport.feed import Feed
from schemas.stage import Gap, Partition, Record
from schemas.topics import ALERTS

P = Partition(ALERTS, 0)


class Member:
    """A membership whose second poll ends the test."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.lost = [Gap(P, 3, 10)]
        self.polls = 0

    def poll(self, _timeout: float) -> list[Record]:
        self.polls += 1
        if self.polls == 2:
            self.stop.set()
        return [Record(P, 10, 0, "k", b"v")] if self.polls == 1 else []

    def assigned(self) -> frozenset[Partition]:
        return frozenset({P})

    def ends(self) -> dict[Partition, int]:
        return {P: 42}

    def gaps(self) -> list[Gap]:
        lost, self.lost = self.lost, []
        return lost

    def close(self) -> None: ...


class Feeds:
    def __init__(self) -> None:
        self.feeds: dict[int, Feed] = {}

    def assign(self, numbers: Sequence[int]) -> None:
        self.feeds = {number: Feed() for number in numbers}

    def feed(self, number: int) -> Feed | None:
        return self.feeds.get(number)


def test_a_driver_knows_where_its_partition_ends_before_it_is_fed_that_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop = threading.Event()
    member, feeds = Member(stop), Feeds()
    monkeypatch.setattr(kafka_transactions, "KafkaInbox", lambda *_: member)
    clients: Any = None
    group = KafkaGroup(clients, ALERTS, "tocsin.router")
    group.partitions = feeds  # type: ignore[assignment]
    group.run(stop)
    assert feeds.feeds[0].end == 42
    assert not member.lost
