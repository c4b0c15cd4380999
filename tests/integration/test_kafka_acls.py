"""Each worker with the permissions of the table, on a broker that allows nothing else."""

import asyncio
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from ops.cluster.kafka_ask import KafkaAsk
from ops.cluster.seen_clock import SeenClock
from ops.deploy.kafka.broker import Broker, free_port
from ops.plans import PlanPublisher
from ops.transport.feed import Feed
from ops.transport.kafka_acls import GRANTS, Grant, commands, grants, topics_of
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_faust import faust_credentials
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_stage_log import KafkaStageLog
from ops.transport.kafka_topics import alter, check_at_start, create, problems
from ops.transport.stage_log import StageCommit
from schemas.errors import Refused, TocsinError
from schemas.stage import Message, Partition, StateChange
from schemas.topics import (
    ALERTS,
    DEAD_LETTERS,
    DELIVERIES,
    HEALTH,
    HISTORY,
    METRICS,
    checkpoints,
)
from tests.support.kafka import jars, settings_for
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

PASSWORD = "open-sesame"
USERS = (*GRANTS, "stranger")


@dataclass(frozen=True)
class Guarded:
    """A broker where User:WORKER may do what the table says of WORKER."""

    broker: Broker
    prefix: str

    def clients(self, user: str) -> Clients:
        port = self.broker.listeners["USERS"][1]
        given = {"bootstrap": f"127.0.0.1:{port}", "prefix": self.prefix, "partitions": 2}
        who = {"sasl": "PLAIN", "username": user, "password": PASSWORD}
        return Clients(settings_for(self.broker, **given, **who), f"test-{user}")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    users = " ".join(f'user_{user}="{PASSWORD}"' for user in USERS)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    broker = Broker(
        tmp_path_factory.mktemp("guarded"),
        jars(),
        listeners={"USERS": ("SASL_PLAINTEXT", free_port())},
        properties={
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": "User:ANONYMOUS",
            "listener.name.users.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.users.plain.sasl.jaas.config": f"{module} required {users};",
        },
    )
    broker.start()
    admin = Clients(settings_for(broker), "admin").admin()
    prefix = "site-a."
    made = [
        acl
        for worker in GRANTS
        for grant in grants(worker, lambda name: prefix + name)
        for acl in as_acls(f"User:{worker}", grant)
    ]
    assert admin.create_acls(made)["failed"] == []
    admin.close()
    guarded = Guarded(broker, prefix)
    eventually(lambda: allowed(lambda: create(guarded.clients("topics"))))
    yield guarded
    broker.kill()


def as_acls(principal: str, grant: Grant) -> Iterator[ACL]:
    kind = ResourceType[grant.kind.upper().replace(" ", "_")]
    pattern = ACLResourcePatternType["PREFIXED" if grant.prefixed else "LITERAL"]
    for word in grant.operations:
        operation = ACLOperation[{"DescribeConfigs": "DESCRIBE_CONFIGS"}.get(word, _upper(word))]
        resource = ResourcePattern(kind, grant.name, pattern)
        yield ACL(principal, "*", operation, ACLPermissionType.ALLOW, resource)


def _upper(word: str) -> str:
    return "".join(f"_{c}" if c.isupper() else c.upper() for c in word).removeprefix("_")


def allowed(act: Callable[[], object]) -> bool:
    try:
        act()
    except TocsinError:
        return False
    return True


def writes(clients: Clients, topic: str) -> None:
    log = KafkaLog(clients.settings, clients.name)
    try:
        log.publish([Message(topic, "key", b"value", 0)], 5.0)
    finally:
        log.close()


def reads(clients: Clients, topic: str) -> None:
    """As workers read that belong to no group."""
    reader = KafkaLog(clients.settings, clients.name).reader()
    try:
        reader.end(Partition(topic, 0))
        reader.read(Partition(topic, 0), reader.begin(Partition(topic, 0)))
    finally:
        reader.close()


def joins(clients: Clients, group: str, topic: str) -> None:
    inbox = KafkaLog(clients.settings, clients.name).inbox(group, [topic])
    try:
        eventually(lambda: inbox.poll(0.2) or inbox.assigned(), within=20)
        inbox.commit({Partition(topic, 0): 0})
    finally:
        inbox.close()


def commits(clients: Clients, stage: str, topic: str, *outputs: str) -> None:
    """As a stage does it: claim, read the checkpoint, commit outputs and state together."""
    log = KafkaStageLog(clients, Feed())
    where = Partition(topic, 0)
    try:
        log.claim(stage, where)
        reader = log.reader()
        reader.state(stage, 0)
        reader.committed(stage, where)
        reader.close()
        messages = [Message(output, "key", b"value", 0) for output in outputs]
        log.commit_stage(StageCommit(stage, where, 0, messages, [StateChange("key", b"value")]))
    finally:
        log.close()


@pytest.mark.parametrize("worker", [*GRANTS])
def test_every_worker_may_look_at_its_topics(guarded: Guarded, worker: str) -> None:
    clients = guarded.clients(worker)
    check_at_start(clients, topics_of(worker))


def test_an_agent_may_write_metrics_and_its_health_and_nothing_else(guarded: Guarded) -> None:
    agent = guarded.clients("agent")
    writes(agent, METRICS)
    writes(agent, HEALTH)
    for topic in (ALERTS, DELIVERIES, HISTORY, checkpoints("detector")):
        assert not allowed(partial(writes, agent, topic))
    for topic in (METRICS, ALERTS):
        with pytest.raises(Refused, match=r"[Aa]uthoriz"):
            reads(agent, topic)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        KafkaStageLog(agent).claim("detector", Partition(METRICS, 0))
    with pytest.raises(Refused, match=r"[Aa]uthoriz|cannot be looked at"):
        create(agent)


def test_a_courier_reads_deliveries_and_answers(guarded: Guarded) -> None:
    courier = guarded.clients("courier")
    joins(courier, "courier", DELIVERIES)
    for topic in (ALERTS, HEALTH, DEAD_LETTERS):
        writes(courier, topic)
    for topic in (DELIVERIES, METRICS):
        with pytest.raises(Refused, match=r"[Aa]uthoriz"):
            writes(courier, topic)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        joins(courier, "historian", DELIVERIES)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        reads(courier, ALERTS)


@pytest.mark.parametrize(
    ("stage", "topic", "outputs"),
    [
        ("detector", METRICS, (ALERTS, METRICS, HISTORY, DEAD_LETTERS)),
        ("router", ALERTS, (DELIVERIES, ALERTS, HISTORY, DEAD_LETTERS)),
    ],
)
def test_a_stage_commits_under_its_own_name_only(
    guarded: Guarded, stage: str, topic: str, outputs: tuple[str, ...]
) -> None:
    clients = guarded.clients(stage)
    commits(clients, stage, topic, *outputs)
    writes(clients, HEALTH)
    other = {"detector": "router", "router": "detector"}[stage]
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        KafkaStageLog(clients).claim(other, Partition(topic, 0))


def test_the_routers_group_commits_in_its_transactions(guarded: Guarded) -> None:
    clients = guarded.clients("router")
    joins(clients, "router", ALERTS)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        joins(clients, "courier", ALERTS)


def test_fausts_client_joins_the_detectors_group(guarded: Guarded) -> None:
    assert asyncio.run(_joined(guarded.clients("detector")))


async def _joined(clients: Clients) -> bool:
    consumer = AIOKafkaConsumer(
        clients.named(METRICS),
        bootstrap_servers=list(clients.settings.bootstrap),
        group_id=clients.named("tocsin.detector"),
        **credentials_to_aiokafka_auth(faust_credentials(clients.settings), None),
    )
    async with consumer:
        ends = time.monotonic() + 20
        while not consumer.assignment() and time.monotonic() < ends:
            await consumer.getmany(timeout_ms=100)
        return bool(consumer.assignment())


def test_a_historian_reads_everything_and_writes_no_decision(guarded: Guarded) -> None:
    historian = guarded.clients("historian")
    for topic in (METRICS, ALERTS, DELIVERIES, HISTORY):
        reads(historian, topic)
    joins(historian, "historian", HISTORY)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        writes(historian, ALERTS)


def test_a_console_follows_the_router_and_takes_batches_and_commands(guarded: Guarded) -> None:
    console = guarded.clients("console")
    for topic in (ALERTS, HEALTH, checkpoints("router")):
        reads(console, topic)
    for topic in (METRICS, ALERTS):
        writes(console, topic)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        writes(console, DELIVERIES)


@pytest.mark.parametrize("worker", ["status", "console"])
def test_the_cluster_can_be_looked_at(guarded: Guarded, worker: str) -> None:
    seen: list[int] = []
    clock = SeenClock()
    ask = KafkaAsk(guarded.clients(worker), clock, lambda newest: seen.append(newest()))
    facts = ask.facts()
    ask.close()
    assert facts.topics == ()
    assert seen[0] <= clock()
    assert [broker.id for broker in facts.brokers] == [1]


def test_status_writes_nothing(guarded: Guarded) -> None:
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        writes(guarded.clients("status"), HEALTH)


def test_apply_publishes_plans(guarded: Guarded) -> None:
    log = KafkaStageLog(guarded.clients("apply"))
    publisher = PlanPublisher(log)
    for stage in ("detector", "router"):
        assert publisher.publish(stage, b"plan") == 1
    log.close()
    reads(guarded.clients("apply"), HEALTH)


def test_load_writes_metrics(guarded: Guarded) -> None:
    writes(guarded.clients("load"), METRICS)
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        writes(guarded.clients("load"), ALERTS)


def test_topics_are_altered_and_not_read(guarded: Guarded) -> None:
    topics = guarded.clients("topics")
    assert alter(topics) == []
    assert problems(topics) == []
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        reads(topics, METRICS)


def test_who_is_not_in_the_table_may_nothing(guarded: Guarded) -> None:
    with pytest.raises(Refused, match=r"[Aa]uthoriz"):
        check_at_start(guarded.clients("stranger"), [METRICS])


def test_what_topics_acls_prints_is_taken_by_kafkas_own_tool(
    guarded: Guarded, tmp_path: Path
) -> None:
    stranger = guarded.clients("stranger")
    (tmp_path / "admin.properties").write_text("")
    for line in commands(grants("load", stranger.named), "User:stranger"):
        _, *words = shlex.split(line)
        given = {"$BOOTSTRAP": guarded.broker.address, "$ADMIN": str(tmp_path / "admin.properties")}
        ran = subprocess.run(
            [*("java", "-cp", f"{jars()}/*", "org.apache.kafka.tools.AclCommand")]
            + [given.get(word, word) for word in words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "Adding ACLs" in ran.stdout
    eventually(lambda: allowed(lambda: writes(stranger, METRICS)))
