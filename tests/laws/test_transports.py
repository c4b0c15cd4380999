"""What every transport promises; a new one joins the list in `transports`."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import pytest

from ops.config_kafka import KafkaSettings
from ops.transport import kafka_topics
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.sqlite_log import SqliteLog
from schemas.errors import LogAway, TooLarge
from schemas.stage import Inbox, Message, Partition, Position, Record, Settle
from schemas.topics import ALERTS, DEAD_LETTERS, METRICS, TOPICS
from tests.support.kafka import settings_for


class Transport(Protocol):
    """What the laws need: METRICS in 4 partitions, everything else in 1."""

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]: ...
    def inbox(self, group: str, topics: Sequence[str]) -> Inbox: ...
    def restart(self) -> None: ...
    def close(self) -> None: ...


class Embedded:
    """The SQLite log; a restart closes the file and opens it again."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "log.sqlite"
        self._now = 1_000_000
        self._inboxes: list[Inbox] = []
        self._open()

    def _open(self) -> None:
        self._log = SqliteLog(self._path, clock=self._clock, partitions={METRICS: 4})

    def _clock(self) -> int:
        self._now += 1
        return self._now

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        return self._log.publish(messages, timeout)

    def inbox(self, group: str, topics: Sequence[str]) -> Inbox:
        self._inboxes.append(self._log.inbox(group, topics))
        return self._inboxes[-1]

    def restart(self) -> None:
        self.close()
        self._open()

    def close(self) -> None:
        for inbox in self._inboxes:
            inbox.close()
        self._inboxes.clear()
        self._log.close()


class OnKafka:
    """A real broker; a restart is the worker's, not the broker's."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        clients = Clients(settings, "laws")
        kafka_topics.create(clients)
        admin = clients.admin()
        admin.create_partitions({clients.named(METRICS): 4})
        admin.close()
        # A producer that asks before the broker has heard of them sends everything to the first.
        until(lambda: kafka_topics.found(clients, [METRICS])[METRICS].partitions == 4)
        self._inboxes: list[Inbox] = []
        self._log = KafkaLog(settings, "laws")

    def publish(self, messages: Sequence[Message], timeout: float = 30.0) -> list[Position]:
        return self._log.publish(messages, timeout)

    def inbox(self, group: str, topics: Sequence[str]) -> Inbox:
        self._inboxes.append(self._log.inbox(group, topics))
        return self._inboxes[-1]

    def restart(self) -> None:
        self.close()
        self._log = KafkaLog(self._settings, "laws")

    def close(self) -> None:
        for inbox in self._inboxes:
            inbox.close()
        self._inboxes.clear()
        self._log.close()


def embedded(request: pytest.FixtureRequest) -> Transport:
    return Embedded(request.getfixturevalue("tmp_path"))


def on_kafka(request: pytest.FixtureRequest) -> Transport:
    return OnKafka(
        settings_for(request.getfixturevalue("broker"), partitions=1, session_timeout="3s")
    )


transports: list[Callable[[pytest.FixtureRequest], Transport]] = [embedded, on_kafka]


@pytest.fixture(params=transports, ids=lambda make: make.__name__)
def transport(request: pytest.FixtureRequest) -> Iterator[Transport]:
    made: Transport = request.param(request)
    yield made
    made.close()


def drain(inbox: Inbox, want: int) -> list[Record]:
    records: list[Record] = []
    while len(records) < want:
        found = inbox.poll(10.0)
        assert found, f"only {len(records)} of {want} records came"
        records += found
    return records


def until(holds: Callable[[], bool], within: float = 30.0) -> None:
    """Groups on Kafka agree among themselves, which takes as long as it takes."""
    ends = time.monotonic() + within
    while not holds():
        assert time.monotonic() < ends, f"not within {within:g} s"
        time.sleep(0.01)


def note(n: int, topic: str = ALERTS, key: str = "default") -> Message:
    return Message(topic, key, f"m{n}".encode())


def test_what_is_published_is_read_back_in_order_with_its_key_and_bytes(
    transport: Transport,
) -> None:
    messages = [Message(ALERTS, f"k{n}", bytes([n, 0, 255])) for n in range(50)]
    positions = transport.publish(messages)
    records = drain(transport.inbox("g", [ALERTS]), 50)
    assert [(r.key, r.value) for r in records] == [(m.key, m.value) for m in messages]
    assert [(r.partition, r.offset) for r in records] == [
        (p.partition, p.offset) for p in positions
    ]


def test_offsets_count_up_by_one_and_append_time_never_goes_back(transport: Transport) -> None:
    for n in range(20):
        transport.publish([note(n), note(n)])
    records = drain(transport.inbox("g", [ALERTS]), 40)
    assert [r.offset for r in records] == list(range(records[0].offset, records[0].offset + 40))
    assert all(a.appended_at <= b.appended_at for a, b in pairwise(records))


def test_a_key_always_meets_the_same_partition_and_keys_spread(transport: Transport) -> None:
    first = transport.publish([note(n, METRICS, f"host-{n}") for n in range(64)])
    again = transport.publish([note(n, METRICS, f"host-{n}") for n in range(64)])
    assert [p.partition for p in first] == [p.partition for p in again]
    assert {p.partition.number for p in first} == {0, 1, 2, 3}


def test_a_named_partition_is_obeyed(transport: Transport) -> None:
    messages = [Message(METRICS, "same", b"x", n) for n in range(4)]
    assert [p.partition.number for p in transport.publish(messages)] == [0, 1, 2, 3]


def test_a_group_goes_on_where_it_committed_also_after_a_restart(transport: Transport) -> None:
    transport.publish([note(n) for n in range(10)])
    inbox = transport.inbox("g", [ALERTS])
    records = drain(inbox, 10)
    inbox.commit({records[0].partition: records[3].offset + 1})
    inbox.close()
    transport.restart()
    rest = drain(transport.inbox("g", [ALERTS]), 6)
    assert [r.value for r in rest] == [f"m{n}".encode() for n in range(4, 10)]


def test_what_was_not_committed_is_read_again(transport: Transport) -> None:
    transport.publish([note(n) for n in range(5)])
    inbox = transport.inbox("g", [ALERTS])
    drain(inbox, 5)
    inbox.close()
    assert len(drain(transport.inbox("g", [ALERTS]), 5)) == 5


def settling(transport: Transport, group: str) -> Inbox:
    """A member whose log appends and commits at once, as not every log can."""
    inbox = transport.inbox(group, [METRICS])
    if not isinstance(inbox, Settle):
        pytest.skip("publishes, then commits")
    return inbox


def test_what_is_settled_is_appended_and_the_group_goes_on_behind_it(transport: Transport) -> None:
    transport.publish([Message(METRICS, "k", bytes([n]), 0) for n in range(5)])
    inbox = settling(transport, "g")
    assert isinstance(inbox, Settle)
    records = drain(inbox, 5)
    inbox.settle([note(1), note(2)], {records[0].partition: 3})
    transport.restart()
    assert [r.value for r in drain(transport.inbox("a", [ALERTS]), 2)] == [b"m1", b"m2"]
    assert [r.value for r in drain(transport.inbox("g", [METRICS]), 2)] == [b"\x03", b"\x04"]


def test_what_is_refused_does_not_let_the_group_go_on(transport: Transport) -> None:
    transport.publish([Message(METRICS, "k", b"x", 0)])
    inbox = settling(transport, "g")
    assert isinstance(inbox, Settle)
    [record] = drain(inbox, 1)
    large = Message(ALERTS, "k", bytes(TOPICS[ALERTS].max_message))
    with pytest.raises(TooLarge):
        inbox.settle([note(1), large], {record.partition: 1})
    transport.restart()
    assert transport.inbox("a", [ALERTS]).poll(0.01) == []
    assert drain(transport.inbox("g", [METRICS]), 1) == [record]


def test_what_is_settled_leaves_alone_the_offset_of_a_partition_that_went(
    transport: Transport,
) -> None:
    transport.publish([Message(METRICS, "k", bytes([n]), n) for n in range(4)])
    inbox = settling(transport, "g")
    assert isinstance(inbox, Settle)
    records = drain(inbox, 4)
    other = transport.inbox("g", [METRICS])
    until(lambda: bool(other.assigned()))
    went = other.assigned()
    inbox.settle([note(1)], {r.partition: r.offset + 1 for r in records})
    assert {r.partition for r in drain(other, len(went))} == went
    assert len(drain(transport.inbox("a", [ALERTS]), 1)) == 1


def test_groups_do_not_disturb_each_other(transport: Transport) -> None:
    transport.publish([note(n) for n in range(5)])
    one = transport.inbox("one", [ALERTS])
    records = drain(one, 5)
    one.commit({records[0].partition: records[-1].offset + 1})
    assert len(drain(transport.inbox("two", [ALERTS]), 5)) == 5


def test_a_member_knows_how_far_it_is_behind(transport: Transport) -> None:
    transport.publish([note(n) for n in range(30)])
    inbox = transport.inbox("g", [ALERTS])
    taken = len(inbox.poll(10.0, 10))
    assert taken == 10
    assert inbox.lag() == {Partition(ALERTS, 0): 20}
    drain(inbox, 20)
    assert inbox.lag() == {Partition(ALERTS, 0): 0}


def test_a_poll_wakes_up_for_what_is_published_meanwhile(transport: Transport) -> None:
    inbox = transport.inbox("g", [ALERTS])
    got: list[Record] = []
    reading = threading.Thread(target=lambda: got.extend(drain(inbox, 1)))
    reading.start()
    transport.publish([note(1)])
    reading.join(20)
    assert [r.value for r in got] == [b"m1"]


def test_a_poll_that_finds_nothing_answers_empty_after_its_time_out(transport: Transport) -> None:
    assert transport.inbox("g", [ALERTS]).poll(0.01) == []


def test_members_of_a_group_share_the_partitions_and_take_over(transport: Transport) -> None:
    one = transport.inbox("g", [METRICS])
    two = transport.inbox("g", [METRICS])
    everything = {Partition(METRICS, n) for n in range(4)}

    def shared() -> bool:
        first, second = one.assigned(), two.assigned()
        assert not first & second
        return bool(first and second) and first | second == everything

    until(shared)
    until(lambda: one.sure() and two.sure())
    two.close()
    until(lambda: one.assigned() == everything)


def test_a_message_above_the_limit_is_refused_and_nothing_of_its_batch_is_appended(
    transport: Transport,
) -> None:
    limit = TOPICS[ALERTS].max_message
    large = Message(ALERTS, "k", b"x" * (limit - 1))
    with pytest.raises(TooLarge, match="the limit is"):
        transport.publish([note(1), Message(ALERTS, "k", b"x" * limit)])
    transport.publish([large])
    assert [r.value for r in drain(transport.inbox("g", [ALERTS]), 1)] == [large.value]


def test_a_dead_letter_has_room_for_the_largest_message_and_its_covering_letter() -> None:
    assert TOPICS[DEAD_LETTERS].max_message > TOPICS[METRICS].max_message + 10_000


def test_an_unknown_topic_is_refused(transport: Transport) -> None:
    with pytest.raises(LogAway, match="no topic"):
        transport.publish([note(1, "tocsin.nonsense")])


def test_many_publishers_at_once_lose_nothing_and_keep_their_own_order(
    transport: Transport,
) -> None:
    def send(name: int) -> None:
        for n in range(25):
            transport.publish([Message(ALERTS, "k", f"{name}/{n}".encode())])

    threads = [threading.Thread(target=send, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = drain(transport.inbox("g", [ALERTS]), 200)
    for name in range(8):
        mine = [r.value.decode() for r in records if r.value.startswith(f"{name}/".encode())]
        assert mine == [f"{name}/{n}" for n in range(25)]
