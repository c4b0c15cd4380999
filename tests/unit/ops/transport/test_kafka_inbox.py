"""What an inbox does between a silent consumer and its caller."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition

from ops.config_kafka import KafkaSettings
from ops.transport import kafka_inbox
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_inbox import KafkaInbox
from schemas.stage import Partition


class Member:
    """A membership whose broker was last heard of `silence` seconds ago."""

    silence = 0.0
    silence_of_group = 0.0
    known: dict[TopicPartition, tuple[int | None, int | None]] = {}

    def __init__(self, *_: object) -> None:
        assignment = {
            where: SimpleNamespace(
                position=None if at is None else SimpleNamespace(offset=at), highwater=end
            )
            for where, (at, end) in self.known.items()
        }
        self.consumer = SimpleNamespace(_subscription=SimpleNamespace(assignment=assignment))
        self.owned = frozenset(self.known)
        self.dropped: set[TopicPartition] = set()
        self.heard = 0.0

    def keep(self) -> None: ...
    def welcome(self) -> None: ...
    def listen(self) -> None: ...


def inbox(monkeypatch: pytest.MonkeyPatch) -> KafkaInbox:
    monkeypatch.setattr(kafka_inbox, "Membership", Member)
    return KafkaInbox(Clients(KafkaSettings(), "test"), "g", ["t"])


@pytest.mark.parametrize(("silence", "least", "most"), [(0.5, 100, 10**9), (5.0, 2, 12)])
def test_a_silent_broker_is_asked_with_pauses(
    monkeypatch: pytest.MonkeyPatch, silence: float, least: int, most: int
) -> None:
    """kafka-python's own poll comes back at once while its broker is away."""
    polls: list[float] = []

    def polled(_consumer: Any, timeout: float, _limit: int) -> dict[Any, Any]:
        polls.append(timeout)
        return {}

    monkeypatch.setattr(Member, "silence", silence)
    monkeypatch.setattr(kafka_inbox, "polled", polled)
    made = inbox(monkeypatch)
    began = time.monotonic()
    assert made.poll(0.5) == []
    assert 0.5 <= time.monotonic() - began < 5
    assert least <= len(polls) <= most


def test_who_heard_nothing_of_its_group_for_most_of_a_session_is_not_sure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = inbox(monkeypatch)
    session = KafkaSettings().session_timeout.total_seconds()
    monkeypatch.setattr(Member, "silence_of_group", session / 2)
    assert made.sure()
    # It may have slept: others begin after a session, what it began itself ends before.
    monkeypatch.setattr(Member, "silence_of_group", session - 2)
    assert not made.sure()


def test_lag_is_what_the_consumer_knows_and_marks_count_until_they_are_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {
        TopicPartition("t", 0): (10, 42),
        TopicPartition("t", 1): (42, 42),
        TopicPartition("t", 2): (None, 42),
        TopicPartition("t", 3): (10, None),
    }
    monkeypatch.setattr(Member, "known", known)
    made = inbox(monkeypatch)
    assert made.lag() == {Partition("t", 0): 32, Partition("t", 1): 0}
    assert made.ends() == {Partition("t", 0): 42}
