"""How each topic has to be set up on a cluster, and what is different there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ops.config_kafka import KafkaSettings
from schemas.errors import Refused
from schemas.topics import ALERTS, GATHERED, METRICS, TOPICS, checkpoints

MAX_BATCH: Final = 1_048_588
"""Bytes of one batch: Kafka's default, and the largest message of the table with its headers."""
INPUTS: Final = {
    checkpoints("detector"): METRICS,
    checkpoints("spanning"): GATHERED,
    checkpoints("router"): ALERTS,
}
"""Whose partitions a checkpoint topic follows: state of partition N is in partition N."""
PLANS: Final = checkpoints("plans")

_COMPACTED: Final = {
    "cleanup.policy": "compact",
    # The newest segment is never compacted, and all of a partition is read when it changes hands:
    # an hour or 64 MiB of changes at most come on top of the state itself.
    "segment.ms": "3600000",
    "segment.bytes": str(64 << 20),
    # Compact once a tenth is outdated (Kafka waits for half). The state is small, the rewriting
    # cheap; every take-over waits for the reading.
    "min.cleanable.dirty.ratio": "0.1",
    # How long the mark of a deleted key stays. It must outlive one reading of the topic, which
    # takes minutes; a day, Kafka's default, would only make readings longer.
    "delete.retention.ms": "3600000",
}
_AT_LEAST: Final = {"max.message.bytes", "retention.ms", "min.insync.replicas"}
"""More than wanted is as good. -1 is without a limit."""
_CRITICAL: Final = {"cleanup.policy", "max.message.bytes", "message.timestamp.type"}
KEPT_COUNTS: Final = {ALERTS, checkpoints("router"), GATHERED, checkpoints("spanning")}
"""Stay with as many partitions as they were made with: silences, groups and what was told are
state of a tenant's partition, and would not move with the tenant; nor would alerts move with their
rule group."""
PARTITIONS: Final = "partitions"
REPLICATION: Final = "replication factor"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic as it should be. `configs` are Kafka's own words."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is; `replication` is that of its worst partition.

    Without the permission to see its settings `configs` is empty.
    """

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be; `breaks` says that decisions would be wrong."""

    topic: str
    setting: str
    found: str
    wanted: str
    remedy: str
    breaks: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.setting} is {self.found}, not {self.wanted}: {self.remedy}"


def wanted(settings: KafkaSettings) -> dict[str, Wanted]:
    """Every topic by its name in the table of topics, without the prefix.

    Raises `Refused` for settings under which nothing could be written.
    """
    if settings.min_in_sync > settings.replication:
        raise Refused(
            f"kafka.min_in_sync: {settings.min_in_sync} is more than kafka.replication "
            f"{settings.replication}: no record would ever count as written"
        )
    kept = {
        topic.name: ({**_kept(topic.retention)}, 1 if topic.single else settings.partitions)
        for topic in TOPICS.values()
    }
    compacted = {name: (_COMPACTED, kept[topic][1]) for name, topic in INPUTS.items()}
    compacted[PLANS] = (_COMPACTED, 1)
    return {
        name: Wanted(name, partitions, settings.replication, _configs(configs, settings))
        for name, (configs, partitions) in {**kept, **compacted}.items()
    }


def differences(want: Wanted, found: Found | None) -> Iterator[Difference]:
    """What is different about one topic; names as `want` has them."""
    if found is None:
        remedy = "run: tocsin topics create"
        yield Difference(want.name, "topic", "missing", "there", remedy, breaks=True)
        return
    if found.partitions != want.partitions and want.name not in KEPT_COUNTS:
        yield _partitions(want, found)
    if found.replication < want.replication:
        remedy = "assign more replicas with kafka-reassign-partitions.sh"
        yield Difference(
            want.name, REPLICATION, str(found.replication), f"{want.replication} or more", remedy
        )
    if not found.configs:
        remedy = "allow DescribeConfigs on the topic, see docs/kafka.md"
        yield Difference(want.name, "every setting", "hidden from us", "readable", remedy)
        return
    for key, value in want.configs.items():
        is_now = found.configs.get(key, "not known to the broker")
        if not _fine(key, is_now, value):
            yield Difference(
                want.name,
                key,
                is_now,
                f"{value} or more" if key in _AT_LEAST else value,
                "run: tocsin topics create --alter",
                breaks=key in _CRITICAL,
            )


def unequal(found: Mapping[str, Found]) -> Iterator[Difference]:
    """Checkpoint topics that do not have as many partitions as their input; plain names."""
    for name, source in INPUTS.items():
        if name in found and source in found:
            is_now, should = found[name].partitions, found[source].partitions
            if is_now != should:
                remedy = f"{source} has {should}: see docs/kafka.md, changing the partitions"
                yield Difference(name, PARTITIONS, str(is_now), str(should), remedy, breaks=True)


def _partitions(want: Wanted, found: Found) -> Difference:
    alone = want.partitions == 1 and (want.name == PLANS or TOPICS[want.name].single)
    remedy = f"set kafka.partitions: {found.partitions}, or see docs/kafka.md"
    if alone:
        remedy = "its order is that of one partition: delete it and run tocsin topics create"
    return Difference(
        want.name,
        PARTITIONS,
        str(found.partitions),
        str(want.partitions),
        remedy,
        breaks=want.name == PLANS,
    )


def _fine(key: str, is_now: str, should: str) -> bool:
    if key in _AT_LEAST and is_now.lstrip("-").isdigit():
        return is_now == "-1" or int(is_now) >= int(should)
    return is_now == should


def _kept(retention: timedelta) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(_ms(retention)),
        # Whole segments go, and a quiet topic's newest lasts a week by default.
        "segment.ms": str(min(_ms(retention) // 6, _ms(timedelta(days=1)))),
    }


def _configs(own: Mapping[str, str], settings: KafkaSettings) -> dict[str, str]:
    return {
        **own,
        "min.insync.replicas": str(settings.min_in_sync),
        # The log's clock: windows, wake-ups and replays go by it.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(MAX_BATCH),
        "compression.type": "producer",
    }


def _ms(length: timedelta) -> int:
    return int(length.total_seconds() * 1_000)
