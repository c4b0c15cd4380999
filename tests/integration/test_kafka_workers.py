"""Courier, historian and agent as processes on a real broker: killed, and going on."""

import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cli import main
from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker
from ops.history.child import HistoryChild
from ops.history.clickhouse import History
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_topics import create
from schemas.deliveries import Receipt
from schemas.envelope import Envelope, Producer
from schemas.metrics import MetricBatch
from schemas.plans import Health, Plan
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC, DELIVERIES, HEALTH, METRICS
from tests.support.build import metrics_message, samples
from tests.support.kafka import jars, settings_for
from tests.support.kafka_worker import KafkaWorker, Topics, written
from tests.support.tocsin_process import run, wall
from tests.support.waiting import eventually
from tests.support.webhook import Webhook
from tests.unit.notifiers.deliveries import delivery

pytestmark = pytest.mark.slow

AGENT = {"agent": {"instance": "edge", "interval": "200ms"}}


@pytest.fixture
def small(broker: Broker) -> KafkaSettings:
    """Two partitions, whose topics are there."""
    settings = settings_for(broker, partitions=2)
    create(Clients(settings, "test"))
    return settings


@pytest.fixture
def topics(small: KafkaSettings) -> Iterator[Topics]:
    with Topics(small) as found:
        yield found


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with Webhook() as receiver:
        yield receiver


def routes(url: str) -> str:
    hooks = [{"url": url}]
    receivers = [{"name": "ops", "webhook_configs": hooks}]
    return json.dumps({"route": {"receiver": "ops"}, "receivers": receivers})


def deliver(topics: Topics, *names: str) -> None:
    now = topics.log.clock()
    events = [delivery(id=name, group_key=name, expires_at=now + 300_000) for name in names]
    topics.log.publish(
        [
            Message(DELIVERIES, e.id, CODEC.encode(Envelope(e.id, Producer("router"), now, e)))
            for e in events
        ]
    )


def receipts(topics: Topics) -> Counter[str]:
    events = [envelope.event for envelope in topics.envelopes(ALERTS)]
    return Counter(event.delivery for event in events if isinstance(event, Receipt))


def test_a_courier_that_is_killed_answers_every_delivery_and_one_at_most_twice(
    tmp_path: Path, small: KafkaSettings, topics: Topics, hook: Webhook
) -> None:
    (tmp_path / "routes.yml").write_text(routes(hook.url))
    config = {"routes": str(tmp_path / "routes.yml")}
    names = [f"d{number:02}" for number in range(20)]
    with KafkaWorker(tmp_path / "courier", "courier", small, config) as courier:
        courier.begin(crash_at="courier.after-send:7")
        deliver(topics, *names)
        assert courier.ended() == -9
        courier.start()
        eventually(lambda: set(names) <= receipts(topics).keys(), what=courier.tail)
        assert courier.stop() == 0, courier.tail()
    keys = Counter(page.key for page in hook.pages)
    assert len(keys) == len(names)
    assert max(keys.values()) <= 2
    told = [e.event for e in topics.envelopes(HEALTH)]
    mine = [event for event in told if isinstance(event, Health) and event.stage == "courier"]
    assert max(mine, key=lambda event: event.at).message == "ended"


def test_a_courier_reads_its_routing_file_again_and_stays_with_the_last_good_one(
    tmp_path: Path, small: KafkaSettings, topics: Topics, hook: Webhook
) -> None:
    file = tmp_path / "routes.yml"
    file.write_text(routes(hook.url))
    with (
        Webhook() as other,
        KafkaWorker(tmp_path / "courier", "courier", small, {"routes": str(file)}) as courier,
    ):
        courier.start()
        deliver(topics, "first")
        eventually(lambda: receipts(topics)["first"], what=courier.tail)
        file.write_text(routes(other.url))
        numbers = itertools.count(1)

        def reached() -> bool:
            name = f"more{next(numbers)}"
            deliver(topics, name)
            eventually(lambda: receipts(topics)[name], what=courier.tail)
            return bool(other.pages)

        eventually(reached, what=courier.tail)
        file.write_text("route: {")
        eventually(lambda: "not in force" in courier.probe("/health").text, what=courier.tail)
        assert courier.probe("/readiness").status_code == 200
        assert courier.stop() == 0, courier.tail()
        courier.start()
        deliver(topics, "last")
        eventually(lambda: receipts(topics)["last"], what=courier.tail)
        assert "last" in {page.body["groupKey"] for page in other.pages}
        assert courier.stop() == 0, courier.tail()


@pytest.mark.parametrize("crash_at", ["historian.before-insert:2", "historian.before-commit:2"])
def test_a_historian_that_is_killed_writes_every_sample_once(
    tmp_path: Path, small: KafkaSettings, topics: Topics, crash_at: str
) -> None:
    child = HistoryChild(tmp_path / "history")
    child.start()
    assert child.wait_ready(30)
    at = child.address
    (tmp_path / "password").write_text(at.token)
    (tmp_path / "password").chmod(0o600)
    server = {
        "url": f"http://{at.host}:{at.port}",
        "user": at.user,
        "password_file": str(tmp_path / "password"),
    }
    history = History(at)
    sent: dict[str, float] = {}

    def send(count: int) -> None:
        now = wall()
        messages = []
        for _ in range(count):
            host = f"host{len(sent)}"
            sent[host] = float(len(sent))
            batch = samples(host, {"x": sent[host]}, now)
            messages.append(metrics_message(batch, now, sequence=1))
        topics.log.publish(messages)

    def stored() -> list[tuple[str, float]]:
        rows = history.rows("SELECT labels['instance'], value FROM metrics WHERE name = 'x'")
        return [(str(host), float(value)) for host, value in rows]

    try:
        with KafkaWorker(tmp_path / "historian", "historian", small, {"history": server}) as worker:
            worker.begin(crash_at=crash_at)
            send(50)
            assert worker.ended(60) == -9
            send(50)
            worker.start()
            eventually(lambda: len(stored()) >= len(sent), what=worker.tail)
            assert worker.stop() == 0, worker.tail()
        assert dict(stored()) == sent
        # Not through FINAL: nothing was inserted twice either.
        assert history.rows("SELECT count() FROM samples")[0][0] == len(sent)
    finally:
        history.close()
        child.stop()


def test_an_agent_that_is_killed_goes_on_and_says_how_it_is(
    tmp_path: Path, small: KafkaSettings, topics: Topics
) -> None:
    def epochs() -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for envelope in topics.envelopes(METRICS):
            if isinstance(envelope.event, MetricBatch) and envelope.event.instance == "edge":
                found.setdefault(envelope.producer.epoch, []).append(envelope.producer.sequence)
        return found

    with KafkaWorker(tmp_path / "edge", "agent", small, AGENT) as agent:
        agent.start()
        eventually(lambda: sum(map(len, epochs().values())) > 5, what=agent.tail)
        agent.kill()
        agent.start()
        eventually(lambda: len(epochs()) == 2, what=agent.tail)
        assert "tocsin_agent_batches_sent_total" in agent.probe("/metrics").text
        assert agent.stop() == 0, agent.tail()
        for sequences in epochs().values():
            assert sequences == list(range(1, len(sequences) + 1))
    told = [e.event for e in topics.envelopes(HEALTH)]
    assert {e.stage for e in told if isinstance(e, Health)} == {"agent"}
    assert len({e.worker for e in told if isinstance(e, Health)}) == 2


def test_a_worker_waits_for_a_broker_and_an_agent_keeps_what_it_reads_meanwhile(
    tmp_path: Path,
) -> None:
    broker = Broker(tmp_path / "broker", jars())
    broker.start()
    try:
        settings = settings_for(broker, partitions=1)
        create(Clients(settings, "test"))
        broker.kill()
        with KafkaWorker(tmp_path / "edge", "agent", settings, AGENT) as agent:
            agent.begin()
            spool = tmp_path / "edge" / "data" / "agent-spool"
            eventually(
                lambda: sum(f.stat().st_size for f in spool.rglob("*") if f.is_file()) > 5_000,
                what=agent.tail,
            )
            assert agent.probe("/readiness").status_code == 503
            assert agent.probe("/liveness").status_code == 200
            broker.start()
            agent.ready()
            eventually(lambda: "tocsin_agent_batches_waiting 0" in agent.probe("/metrics").text)
            assert agent.said.count("Kafka away, trying again") == 1
            broker.freeze()
            began = time.monotonic()
            assert agent.stop() == 0, agent.tail()
            assert time.monotonic() - began < 10
            broker.thaw()
        with Topics(settings) as topics:
            sequences = [e.producer.sequence for e in topics.envelopes(METRICS)]
        assert sequences == list(range(1, len(sequences) + 1))
    finally:
        broker.kill()


def test_a_worker_without_its_topics_says_what_to_do_and_ends(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    with KafkaWorker(tmp_path / "edge", "agent", kafka, AGENT) as agent:
        agent.begin()
        assert agent.ended() == 2
        assert "tocsin topics create" in agent.said


def test_plans_come_into_force_on_every_partition_once(
    tmp_path: Path, small: KafkaSettings, topics: Topics
) -> None:
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: x > 1}]}]")
    (tmp_path / "routes.yml").write_text(routes("http://secret.invalid/TOKEN"))
    config = {"kafka": written(small), "rules": ["rules.yml"], "routes": "routes.yml"}
    (tmp_path / "tocsin.yaml").write_text(json.dumps(config))

    def apply(*more: str) -> tuple[int, str, str]:
        ran = run("apply", *more, cwd=tmp_path)
        return ran.returncode, ran.stdout, ran.stderr

    def plans(topic: str, partition: int) -> list[Plan]:
        found = [envelope.event for envelope in topics.envelopes(topic, partition)]
        return [event for event in found if isinstance(event, Plan)]

    code, said, wrong = apply()
    assert (code, wrong) == (0, "")
    assert said == (
        "rules: plan 1 in force on 2 partitions\nroutes: plan 1 in force on 2 partitions\n"
    )
    assert apply() == (0, "rules: unchanged, plan 1\nroutes: unchanged, plan 1\n", "")
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: x > 2}]}]")
    code, said, _ = apply("--json", "--wait", "0")
    assert code == 1
    rules, _ = json.loads(said)["applied"]
    assert rules == {
        "part": "rules",
        "stage": "detector",
        "plan": 2,
        "changed": True,
        "partitions": 2,
        "following": 0,
    }
    for partition in range(2):
        assert [plan.number for plan in plans(METRICS, partition)] == [
            1,
            1,
            2,
        ]  # an unchanged plan is told once more
        assert b"TOKEN" not in plans(ALERTS, partition)[0].content
    (tmp_path / "rules.yml").write_text("groups: [{name: g, rules: [{alert: A, expr: 'x >'}]}]")
    code, said, wrong = apply()
    assert (code, said) == (2, "")
    assert "1 problems, nothing applied" in wrong
    assert len(plans(METRICS, 0)) == 3


def test_a_worker_without_brokers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TOCSIN__")]:
        monkeypatch.delenv(name)
    for command in ("agent", "courier", "historian", "detector", "router"):
        assert main([command]) == 2
        assert "kafka.bootstrap" in capsys.readouterr().err
