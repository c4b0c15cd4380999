"""Asks a Kafka cluster for the facts of `ops.cluster.facts`."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import ormsgpack
from kafka import KafkaAdminClient, TopicPartition
from kafka import errors as kafka_errors
from kafka.admin import OffsetSpec

from ops.cluster.facts import BrokerFact, Facts, Heard, Lag, Letters
from ops.cluster.workers import FORGOTTEN
from ops.transport import kafka_checkpoint, kafka_topics
from ops.transport.kafka_clients import Clients, group_of, said
from ops.transport.kafka_reader import KafkaReader
from schemas.dead_letter import DeadLetter
from schemas.errors import Undecodable
from schemas.plans import Health
from schemas.stage import Partition, Record
from schemas.topics import CODEC, DEAD_LETTERS, HEALTH, METRICS, checkpoints

GROUPS: Final = tuple(map(group_of, ("detector", "spanning", "router", "courier", "historian")))
NEWEST: Final = 1_000
"""Dead letters that are counted by reason."""
MOST_BYTES: Final = 32 << 20
"""Of dead letters read for that at once; each may be of a megabyte."""
MOST_WORKERS: Final = 50_000
_WINDOW: Final = 100


class KafkaAsk:
    """Asks again and again, reading only what is new; one thread at a time.

    `clock` in ms; `look` may correct it before it is asked, with the newest append time. Methods
    raise `LogAway` while Kafka does not answer, `Refused` where we may not.
    """

    def __init__(
        self,
        clients: Clients,
        clock: Callable[[], int],
        look: Callable[[Callable[[], int]], None] = lambda _newest: None,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._look = look
        self._reader = KafkaReader(clients)
        self._next: dict[Partition, int] = {}
        self._heard: dict[tuple[str, str], Heard] = {}
        self._letters: deque[tuple[str, str]] = deque(maxlen=NEWEST)
        self._letters_next: int | None = None

    def facts(self) -> Facts:
        """Everything as it is now."""
        with self._admin() as admin:
            counts = self._partitions(admin)
            brokers = self._brokers(admin)
            lags = self._lags(admin, counts)
            self._look(lambda: self._newest(admin, counts))
        heard = self._listen(counts.get(HEALTH, 0))
        letters = self._read_letters() if DEAD_LETTERS in counts else Letters()
        plans = self._plans() if checkpoints("plans") in counts else {}
        problems = tuple(kafka_topics.problems(self._clients))
        return Facts(self._clock(), brokers, heard, lags, letters, plans, problems)

    def close(self) -> None:
        """Let go of the broker."""
        self._reader.close()

    @contextmanager
    def _admin(self) -> Iterator[KafkaAdminClient]:
        admin = self._clients.admin()
        try:
            with said(self._clients.settings):
                yield admin
        finally:
            admin.close()

    def _partitions(self, admin: KafkaAdminClient) -> dict[str, int]:
        """How many partitions each of our topics has, by plain name."""
        plain = {
            self._clients.named(name): name for name in kafka_topics.wanted(self._clients.settings)
        }
        return {
            plain[each["name"]]: len(each["partitions"])
            for each in admin.describe_topics(list(plain))
            if kafka_errors.for_code(each["error_code"]) is kafka_errors.NoError
        }

    def _brokers(self, admin: KafkaAdminClient) -> tuple[BrokerFact, ...]:
        cluster = admin.describe_cluster()
        return tuple(
            BrokerFact(
                each["broker_id"],
                f"{each['host']}:{each['port']}",
                each["broker_id"] == cluster["controller_id"],
            )
            for each in sorted(cluster["brokers"], key=lambda each: int(each["broker_id"]))
        )

    def _lags(self, admin: KafkaAdminClient, counts: dict[str, int]) -> tuple[Lag, ...]:
        clients = self._clients
        asked = {clients.named(group): group for group in GROUPS}
        committed = {
            (asked[group], where): found.offset
            for group, offsets in admin.list_group_offsets(list(asked)).items()
            for where, found in offsets.items()
            if clients.plain(where.topic) in counts
        }
        wanted = {where for _, where in committed}
        if not wanted:
            return ()
        ends = {
            where: int(found.offset)
            for where, found in admin.list_partition_offsets(dict.fromkeys(wanted, -1)).items()
        }
        return tuple(
            Lag(
                group,
                clients.plain(where.topic),
                where.partition,
                ends[where],
                int(offset) if offset >= 0 else None,
            )
            for (group, where), offset in sorted(committed.items(), key=_order)
            if where in ends
        )

    def _newest(self, admin: KafkaAdminClient, counts: dict[str, int]) -> int:
        """When the newest record of those topics was appended to which somebody always writes."""
        asked = {
            TopicPartition(self._clients.named(topic), number): OffsetSpec.MAX_TIMESTAMP
            for topic in (HEALTH, METRICS)
            for number in range(counts.get(topic, 0))
        }
        if not asked:
            return -1
        return max(int(found.timestamp) for found in admin.list_partition_offsets(asked).values())

    def _listen(self, partitions: int) -> tuple[Heard, ...]:
        """What workers said last, of those that spoke within a minute."""
        now = self._clock()
        for number in range(partitions):
            partition = Partition(HEALTH, number)
            start = self._next.get(partition)
            if start is None or start > self._reader.end(partition):
                # In a topic that was made anew offsets begin again.
                self._next.pop(partition, None)
                start = self._reader.offset_at(partition, now - FORGOTTEN)
            for record in self._records(partition, start):
                self._next[partition] = record.offset + 1
                self._hear(record)
            self._next.setdefault(partition, start)
        self._heard = {
            name: each for name, each in self._heard.items() if now - each.at <= FORGOTTEN
        }
        return tuple(self._heard.values())

    def _hear(self, record: Record) -> None:
        try:
            event = CODEC.decode(record.value).event
        except Undecodable:
            return
        if isinstance(event, Health):
            name = (event.worker, event.stage)
            if name in self._heard or len(self._heard) < MOST_WORKERS:
                self._heard[name] = Heard(record.appended_at, event)

    def _records(self, partition: Partition, start: int) -> Iterator[Record]:
        """From `start` to the end."""
        while True:
            records, _ = self._reader.read(partition, start, 5_000)
            if not records:
                return
            yield from records
            start = records[-1].offset + 1

    def _read_letters(self) -> Letters:
        partition = Partition(DEAD_LETTERS, 0)
        begin, end = self._reader.begin(partition), self._reader.end(partition)
        if self._letters_next is None or self._letters_next < begin or self._letters_next > end:
            self._letters.clear()
            self._letters.extend(self._newest_letters(partition, begin, end))
        else:
            for record in self._records(partition, self._letters_next):
                self._letters.append(_kind(record))
        self._letters_next = end
        return Letters(end - begin, Counter(self._letters))

    def _newest_letters(
        self, partition: Partition, begin: int, end: int
    ) -> Sequence[tuple[str, str]]:
        """Backwards, a window at a time, until there are enough of them, or of their bytes."""
        found: list[tuple[str, str]] = []
        size, to = 0, end
        while to > begin and len(found) < NEWEST and size < MOST_BYTES:
            start = max(begin, to - _WINDOW)
            window = []
            for record in self._records(partition, start):
                if record.offset >= to:
                    break
                size += len(record.value)
                window.append(_kind(record))
            found = window + found
            to = start
        return found

    def _plans(self) -> dict[str, int]:
        """The number published last, by stage."""
        entries = self._reader.compacted(Partition(checkpoints("plans"), 0))
        found = {}
        for stage, value in kafka_checkpoint.read(entries).state:
            number = ormsgpack.unpackb(value)
            found[stage] = int(number[0] if isinstance(number, list) else number)
        return found


def _kind(record: Record) -> tuple[str, str]:
    try:
        event = CODEC.decode(record.value).event
    except Undecodable:
        return "?", "cannot be read"
    return (event.topic, str(event.reason)) if isinstance(event, DeadLetter) else ("?", event.KIND)


def _order(entry: tuple[tuple[str, TopicPartition], int]) -> tuple[int, str, int]:
    (group, where), _ = entry
    return GROUPS.index(group), where.topic, where.partition
