"""`tocsin apply`: put rules and routes in force on Kafka, once they are found to be right."""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ops.cli.check import file_problems
from ops.cli.options import settings_of
from ops.plans import TOPIC_OF, PlanPublisher, routes_content, routes_text, rules_content
from ops.plans_followed import Followed
from ops.settings import Settings
from ops.transport.kafka_acls import topics_of
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_reader import KafkaReader
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.kafka_topics import check_at_start
from ops.transport.stage_log import Fenced
from schemas.errors import Refused, Undecodable
from schemas.plans import Health
from schemas.stage import Partition
from schemas.topics import CODEC, HEALTH

_PART = {"detector": "rules", "router": "routes"}
NAP = 0.5
"""Seconds between looks at the health topic."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a stage's plan; `following` partitions do as it says, of those known."""

    part: str
    stage: str
    plan: int
    changed: bool
    partitions: int
    following: int | None = None

    def __str__(self) -> str:
        if not self.changed:
            said = f"{self.part}: unchanged, plan {self.plan}"
        else:
            said = f"{self.part}: plan {self.plan} in force on {_partitions(self.partitions)}"
        if self.following is None:
            return said
        return f"{said}; {self.following} of {self.partitions} follow it"


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 if `--wait` passed before every partition followed."""
    loaded = settings_of(arguments)
    settings = loaded.settings
    if problems := file_problems(loaded):
        raise Refused("\n".join([*problems, f"{len(problems)} problems, nothing applied"]))
    contents = _contents(settings)
    if not contents:
        raise Refused("apply: nothing to apply: set rules or routes")
    clients = Clients(settings.kafka, "tocsin-apply")
    check_at_start(clients, topics_of("apply"))
    log = KafkaStageLog(clients)
    health = _Health(clients)
    try:
        publisher = PlanPublisher(log)
        if arguments.wait is not None:
            health.begin(log.partitions[HEALTH])
        applied = [_apply(publisher, log, stage, text) for stage, text in contents.items()]
        if arguments.wait is not None:
            applied = health.wait(applied, arguments.wait)
    finally:
        health.close()
        log.close()
    if arguments.json:
        print(json.dumps({"applied": [asdict(each) for each in applied]}))
    else:
        print("\n".join(str(each) for each in applied))
    behind = [a for a in applied if a.following is not None and a.following < a.partitions]
    return 1 if behind else 0


def _contents(settings: Settings) -> Mapping[str, bytes]:
    """The plans by stage. What is not configured is left as it is, and not emptied."""
    contents = {}
    if settings.rules:
        contents["detector"] = rules_content(settings)
    if settings.routes is not None:
        contents["router"] = routes_content(routes_text(settings.routes), settings.matchers)
    return contents


def _apply(publisher: PlanPublisher, log: KafkaStageLog, stage: str, content: bytes) -> Applied:
    before = publisher.last(stage)
    try:
        number = publisher.publish(stage, content, again=True)
    except Fenced as fault:
        raise Refused(
            f"{_PART[stage]}: somebody else applies at the same time: look at tocsin status, then "
            "apply again if yours are to hold"
        ) from fault
    count = log.partitions[TOPIC_OF[stage]]
    return Applied(_PART[stage], stage, number, number != before, count)


class _Health:
    """The health topic from here on."""

    def __init__(self, clients: Clients) -> None:
        self._reader = KafkaReader(clients)
        self._next: dict[Partition, int] = {}

    def begin(self, count: int) -> None:
        """What is said before the plans are published says nothing of them."""
        for number in range(count):
            partition = Partition(HEALTH, number)
            self._next[partition] = self._reader.end(partition)

    def wait(self, applied: list[Applied], seconds: float) -> list[Applied]:
        """Until every partition follows, or `seconds` have passed."""
        ends = time.monotonic() + seconds
        watched = [Followed(each.stage, each.plan) for each in applied]
        while True:
            self._read(watched)
            found = [
                Applied(a.part, a.stage, a.plan, a.changed, a.partitions, w.partitions)
                for a, w in zip(applied, watched, strict=True)
            ]
            done = all((a.following or 0) >= a.partitions for a in found)
            if done or time.monotonic() >= ends:
                return found
            time.sleep(NAP)

    def close(self) -> None:
        """Let go of Kafka."""
        self._reader.close()

    def _read(self, watched: list[Followed]) -> None:
        for partition, offset in self._next.items():
            records, _ = self._reader.read(partition, offset)
            for record in records:
                self._next[partition] = record.offset + 1
                try:
                    event = CODEC.decode(record.value).event
                except Undecodable:
                    continue
                if isinstance(event, Health):
                    for each in watched:
                        each.add(event)


def _partitions(count: int) -> str:
    return "1 partition" if count == 1 else f"{count} partitions"
