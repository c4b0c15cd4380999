"""Tocsin's topics on a cluster: create, list, compare with the table, alter."""

import logging
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kafka import KafkaAdminClient
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource, ConfigResourceType

from ops.transport.kafka_clients import PATIENCE, Clients, said
from ops.transport.kafka_topic_table import (
    PARTITIONS,
    Difference,
    Found,
    Wanted,
    differences,
    unequal,
    wanted,
)
from schemas.errors import LogAway, Refused

__all__ = [
    "Created",
    "alter",
    "check_at_start",
    "compared",
    "create",
    "found",
    "listed",
    "problems",
    "wanted",
]

logger = logging.getLogger(__name__)

DETECTORS = "tocsin.detector"
"""The detectors' group."""


@dataclass(frozen=True, slots=True)
class Created:
    """Names on the cluster: made now, and there before."""

    created: tuple[str, ...]
    there: tuple[str, ...]


def create(clients: Clients) -> Created:
    """Make the topics that are missing, and change none.

    Raises `Refused` where the cluster will not have one, with its reason.
    """
    want = wanted(clients.settings)
    with _admin(clients) as admin:
        there = _found(admin, clients, want)
        missing = {
            clients.named(name): {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replication,
                "configs": dict(topic.configs),
            }
            for name, topic in want.items()
            if name not in there
        }
        created = []
        if missing:
            answer = admin.create_topics(missing, raise_errors=False)
            created = [each["name"] for each in answer["topics"] if _made(each)]
            admin.wait_for_topics(list(missing))
    return Created(
        tuple(created), tuple(name for name in map(clients.named, want) if name not in created)
    )


def found(clients: Clients, names: Collection[str] | None = None) -> dict[str, Found]:
    """Those of the table's topics that are there, by their plain names."""
    with _admin(clients) as admin:
        return _found(admin, clients, names or wanted(clients.settings))


def listed(clients: Clients) -> list[Found]:
    """The topics that are there, in the table's order, with their names on the cluster."""
    return [
        Found(clients.named(name), topic.partitions, topic.replication, topic.configs)
        for name, topic in found(clients).items()
    ]


def compared(clients: Clients, names: Collection[str] | None = None) -> list[Difference]:
    """What is different about these topics (all if not given), with their names on the cluster."""
    want = wanted(clients.settings)
    there = found(clients, names)
    different = [d for name in names or want for d in differences(want[name], there.get(name))]
    return [
        replace(each, topic=clients.named(each.topic)) for each in (*different, *unequal(there))
    ]


def problems(clients: Clients) -> list[str]:
    """What is different from the table: topic, setting, what it is, what not, what to do."""
    return [str(each) for each in compared(clients)]


def check_at_start(clients: Clients, names: Collection[str] | None = None) -> None:
    """Warn of what is different about these topics (all if not given), by plain names.

    Raises `Refused` with the list of what would make decisions wrong or stop them.
    """
    different = compared(clients, names)
    for each in different:
        if not each.breaks:
            logger.warning("topic is set up differently", extra={"why": str(each)})
    if breaks := [str(each) for each in different if each.breaks]:
        raise Refused("\n".join(breaks))


def alter(clients: Clients) -> list[str]:
    """Make existing topics as the table has them, and say what was done and what was not.

    Partitions are added, never taken away. Keys move then: docs/kafka.md has the procedure.
    Raises `Refused` when a detector runs while they should move.
    """
    want = wanted(clients.settings)
    done = []
    with _admin(clients) as admin:
        there = _found(admin, clients, want)
        for name, topic in there.items():
            named = clients.named(name)
            wrong = list(differences(want[name], topic))
            configs = {
                each.setting: want[name].configs[each.setting]
                for each in wrong
                if each.setting in want[name].configs
            }
            if configs:
                resource = ConfigResource(ConfigResourceType.TOPIC, named, configs)
                answer = admin.alter_configs([resource])["topic"][named]
                if answer != "OK":
                    raise Refused(f"{named}: the cluster does not change it: {answer}")
                _settle(admin, clients, replace(topic, configs=configs))
                done += [f"{named}: {key} is now {value}" for key, value in configs.items()]
            if any(each.setting == PARTITIONS for each in wrong):
                if topic.partitions < want[name].partitions:
                    _must_be_stopped(admin, clients)
                done.append(_add_partitions(admin, named, want[name], topic))
                if topic.partitions < want[name].partitions:
                    _settle(admin, clients, Found(name, want[name].partitions, 0, {}))
    return done


def _must_be_stopped(admin: KafkaAdminClient, clients: Clients) -> None:
    """A detector would go on with the old partitions, and agents with the new ones."""
    group = clients.named(DETECTORS)
    if members := _members(admin, group):
        hosts = ", ".join(sorted({each["client_host"].lstrip("/") for each in members}))
        raise Refused(
            f"group {group}: detectors run on {hosts}: stop them before partitions are added, "
            "see docs/kafka.md"
        )


def _members(admin: KafkaAdminClient, group: str) -> list[dict[str, str]]:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            members: list[dict[str, str]] = admin.describe_groups([group])[group]["members"]
            return members
        except kafka_errors.GroupIdNotFoundError:
            return []
        except (kafka_errors.CoordinatorNotAvailableError, kafka_errors.NotCoordinatorError):
            # A new cluster makes its topic of groups at the first question about one.
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)


def _settle(admin: KafkaAdminClient, clients: Clients, after: Found) -> None:
    """Wait until the broker that is asked has heard of the change from the controller."""
    ends = time.monotonic() + PATIENCE
    while True:
        now = _found(admin, clients, [after.name])[after.name]
        if now.partitions == after.partitions and not after.configs.items() - now.configs.items():
            return
        if time.monotonic() > ends:
            named = clients.named(after.name)
            raise LogAway(f"{named}: no broker shows the change after {PATIENCE:g} s")
        time.sleep(0.02)


def _add_partitions(admin: KafkaAdminClient, named: str, want: Wanted, topic: Found) -> str:
    if topic.partitions > want.partitions:
        return (
            f"{named}: keeps its {topic.partitions} partitions: Kafka cannot take any away; "
            f"see docs/kafka.md"
        )
    try:
        admin.create_partitions({named: want.partitions})
    except kafka_errors.BrokerResponseError as fault:
        if isinstance(fault, kafka_errors.RetriableError):
            raise
        raise Refused(f"{named}: the cluster adds no partitions: {fault}") from fault
    return (
        f"{named}: partitions are now {want.partitions}, before {topic.partitions}; keys moved: "
        "see docs/kafka.md"
    )


@contextmanager
def _admin(clients: Clients) -> Iterator[KafkaAdminClient]:
    admin = clients.admin()
    try:
        with said(clients.settings):
            yield admin
    finally:
        admin.close()


def _found(admin: KafkaAdminClient, clients: Clients, names: Iterable[str]) -> dict[str, Found]:
    named = {clients.named(name): name for name in names}
    there = {}
    for each in admin.describe_topics(list(named)):
        fault = kafka_errors.for_code(each["error_code"])
        if fault is kafka_errors.UnknownTopicOrPartitionError:
            continue
        if fault is not kafka_errors.NoError:
            raise fault(f"{each['name']}: cannot be looked at: allow Describe, see docs/kafka.md")
        there[each["name"]] = each["partitions"]
    if not there:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    # A permission that is missing is no error here: the answer is empty.
    configs = admin.describe_configs(resources, config_filter="all").get("topic", {})
    return {
        plain: Found(
            plain,
            len(there[name]),
            min(len(partition["replica_nodes"]) for partition in there[name]),
            {key: each["value"] for key, each in configs.get(name, {}).items()},
        )
        for name, plain in named.items()
        if name in there
    }


def _made(answer: dict[str, object]) -> bool:
    """False where another process was quicker. Raises `Refused` with the cluster's reason."""
    fault = kafka_errors.for_code(answer["error_code"])
    if fault is kafka_errors.NoError:
        return True
    if fault is kafka_errors.TopicAlreadyExistsError:
        return False
    why = answer.get("error_message") or fault.description
    if issubclass(fault, kafka_errors.RetriableError):
        raise fault(why)
    raise Refused(f"{answer['name']}: the cluster does not make it: {why}")
