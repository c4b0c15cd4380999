"""`tocsin detector`: the detector over its share of the metrics topic."""

from ops.parts.shared import Shared
from ops.runtime.faust_app import FaustGroup
from ops.runtime.partitions import Partitions
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_clock import KafkaClock
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.log import Log
from ops.workers import heap
from ops.workers.group_part import GroupPart
from schemas.stage import Stage
from schemas.topics import METRICS

GROUP = "tocsin.detector"
SPANNING = "tocsin.spanning"


def part(shared: Shared[Log]) -> GroupPart:
    """A member of the detectors' group."""
    heap.keep_little()
    clients = Clients(shared.settings.kafka, "tocsin-detector")
    clock = KafkaClock()
    group = FaustGroup(clients, METRICS, GROUP)

    def open_log(feed: Feed) -> KafkaStageLog:
        return KafkaStageLog(clients, feed, clock, shared.crash)

    partitions = Partitions(
        "detector",
        _detector,
        open_log,
        shared.crash,
        shared.counter("detector"),
        group.committed,
        group.begin_again,
    )
    group.partitions = partitions
    return GroupPart(partitions, group)


def _detector() -> Stage:
    from processors.detector import Detector

    return Detector()
