"""`tocsin detector`: the detector over its share of the metrics topic, and where that has several
partitions, the spanning detector over its share of what they send on."""

from ops.parts.shared import Shared
from ops.runtime.faust_app import FaustGroup
from ops.runtime.kafka_transactions import KafkaGroup
from ops.runtime.partitions import Partitions
from ops.transport import kafka_topics
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_clock import KafkaClock
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.log import Log
from ops.workers import heap
from ops.workers.group_part import GroupPart
from ops.workers.part import Part
from ops.workers.parts import Parts
from schemas.errors import LogAway
from schemas.stage import Stage
from schemas.topics import GATHERED, METRICS

GROUP = "tocsin.detector"
SPANNING = "tocsin.spanning"


def part(shared: Shared[Log]) -> Part:
    """A member of the detectors' group, and of the spanning detectors'."""
    heap.keep_little()
    clients = Clients(shared.settings.kafka, "tocsin-detector")
    sources = _Sources(clients)
    clock = KafkaClock()
    group = FaustGroup(clients, METRICS, GROUP)

    def open_log(feed: Feed) -> KafkaStageLog:
        return KafkaStageLog(clients, feed, clock, shared.crash)

    def make(number: int) -> Stage:
        from processors.detector import Detector

        return Detector(number, sources.at_least(number + 1))

    partitions = Partitions(
        "detector",
        make,
        open_log,
        shared.crash,
        shared.counter("detector"),
        group.committed,
        group.begin_again,
    )
    group.partitions = partitions
    detector = GroupPart(partitions, group)
    if sources.count == 1:
        return detector
    return Parts(detector, _spanning(shared, clients, clock))


def _spanning(shared: Shared[Log], clients: Clients, clock: KafkaClock) -> GroupPart:
    group = KafkaGroup(clients, GATHERED, SPANNING)

    def open_log(feed: Feed) -> KafkaStageLog:
        return KafkaStageLog(clients, feed, clock, shared.crash, group.member)

    def make(_number: int) -> Stage:
        from processors.spanning import SpanningDetector

        return SpanningDetector()

    partitions = Partitions("spanning", make, open_log, shared.crash, shared.counter("spanning"))
    group.partitions = partitions
    return GroupPart(partitions, group)


class _Sources:
    """How many partitions the metrics topic has. Raises `LogAway`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.count = 0
        self.at_least(1)

    def at_least(self, count: int) -> int:
        """The number, asked for again if it is known to be more by now."""
        if self.count < count:
            found = kafka_topics.found(self._clients, [METRICS])
            if METRICS not in found:
                raise LogAway(f"{METRICS} is not there")
            self.count = found[METRICS].partitions
        return self.count
