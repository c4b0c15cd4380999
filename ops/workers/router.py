"""`tocsin router`: the router over its share of the alerts topic, which is all of it or nothing."""

from ops.parts.shared import Shared
from ops.runtime.kafka_transactions import KafkaGroup
from ops.runtime.partitions import Partitions
from ops.transport.feed import Feed
from ops.transport.kafka_clients import Clients, group_of
from ops.transport.kafka_clock import KafkaClock
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.log import Log
from ops.workers.group_part import GroupPart
from schemas.stage import Stage
from schemas.topics import ALERTS

GROUP = group_of("router")


def part(shared: Shared[Log]) -> GroupPart:
    """A member of the routers' group; those without the partition stand by."""
    settings = shared.settings
    clients = Clients(settings.kafka, "tocsin-router")
    clock = KafkaClock()
    group = KafkaGroup(clients, ALERTS, GROUP)

    def make(_number: int) -> Stage:
        from notifiers.router import Router

        return Router(external_url=settings.url, atomic=True)

    def open_log(feed: Feed) -> KafkaStageLog:
        return KafkaStageLog(clients, feed, clock, shared.crash, group.member)

    partitions = Partitions("router", make, open_log, shared.crash, shared.counter("router"))
    group.partitions = partitions
    return GroupPart(partitions, group)
