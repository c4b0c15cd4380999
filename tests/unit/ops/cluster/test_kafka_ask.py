"""What is read again and again of the health topic."""

from typing import Any

from ops.cluster.kafka_ask import KafkaAsk
from ops.services import StageStatus
from ops.workers.beats import message
from schemas.stage import Partition, Record
from schemas.topics import HEALTH

NOW = 1_750_000_000_000
P = Partition(HEALTH, 0)


class Topic:
    """A partition of the health topic, as a reader has it."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def beat(self, worker: str) -> None:
        value = message(worker, StageStatus("router", True, True), NOW).value
        self.records.append(Record(P, len(self.records), NOW, worker, value))

    def end(self, _partition: Partition) -> int:
        return len(self.records)

    def offset_at(self, _partition: Partition, _at: int) -> int:
        return 0

    def read(self, _partition: Partition, offset: int, _limit: int) -> tuple[list[Record], None]:
        return self.records[offset:], None


def test_a_health_topic_that_was_made_anew_is_read_from_its_begin() -> None:
    nobody: Any = None
    ask = KafkaAsk(nobody, lambda: NOW)
    topic: Any = Topic()
    ask._reader = topic
    for worker in ("a", "b", "c"):
        topic.beat(worker)
    assert {heard.said.worker for heard in ask._listen(1)} == {"a", "b", "c"}
    topic.records.clear()
    assert len(ask._listen(1)) == 3  # they spoke within a minute
    topic.beat("d")
    assert {heard.said.worker for heard in ask._listen(1)} == {"a", "b", "c", "d"}
    topic.beat("e")
    assert len(ask._listen(1)) == 5
