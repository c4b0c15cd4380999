"""A topic that is deleted and made again under a stage: what it knows stays, and it goes on."""

from notifiers.router import Router
from ops.config_kafka import KafkaSettings
from ops.deploy.kafka.broker import Broker
from ops.figures import Figures
from ops.parts.shared import Shared
from ops.settings import Settings
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_topics import create
from ops.workers import detector
from processors.detector import Detector
from schemas.alerts import AlertBatch
from schemas.errors import LogAway
from schemas.stage import Message
from schemas.topics import ALERTS, CODEC, DELIVERIES, METRICS
from tests.laws.test_router_runtimes import alert_stream, level, router_plan
from tests.laws.test_runtimes import RULES, decisions, stream
from tests.support.build import T0, envelope, metrics_message, rules_plan_messages, samples
from tests.support.kafka import settings_for
from tests.support.kafka_file import KafkaFile
from tests.support.kafka_runtime import OnKafka
from tests.support.tocsin_process import wall
from tests.support.waiting import eventually


def made_anew(
    clients: Clients, topic: str, partitions: int = 1, stamps: str = "CreateTime"
) -> None:
    admin = clients.admin()
    name = clients.named(topic)
    admin.delete_topics([name])
    while name in admin.list_topics():
        pass
    config = {"message.timestamp.type": stamps, "retention.ms": "-1"}
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1, "configs": config}})
    admin.wait_for_topics([name])
    admin.close()


def test_a_detector_keeps_its_plan_and_decides_on_the_new_topic(broker: Broker) -> None:
    settings = settings_for(broker)
    runtime = OnKafka(settings, Detector, 1)
    try:
        runtime.publish(rules_plan_messages(RULES), T0)
        events = list(stream([(5, 95), (10, 99), (12, 99), (14, 5), (9, 5), (10, 99), (10, 99)]))
        half = len(events) // 2
        for now, message in events[:half]:
            runtime.publish([message], now)
        runtime.settle()
        before = decisions(runtime)
        assert before
        made_anew(Clients(settings, "test"), METRICS)
        runtime.restart()
        for now, message in events[half:]:
            runtime.publish([message], now)
        runtime.settle()
        assert len(decisions(runtime)) > len(before)
    finally:
        runtime.close()


def test_a_router_takes_the_new_topics_records_for_new_ones(broker: Broker) -> None:
    settings = settings_for(broker)
    runtime = OnKafka(settings, Router, 1)
    try:
        runtime.publish(router_plan(), T0)
        for now, message in alert_stream([(5, 80), (5, 80), (5, 80)]):
            runtime.publish([message], now)
        runtime.settle()
        made_anew(Clients(settings, "test"), ALERTS)
        runtime.restart()
        for now, name in ((T0 + 600_000, "D"), (T0 + 601_000, "E"), (T0 + 660_000, "F")):
            told = AlertBatch(
                source="r:g", plan=1, decided_at=now, alerts=(level(name, now, None),)
            )
            runtime.publish([Message(ALERTS, "default", CODEC.encode(envelope(told, now)))], now)
            runtime.restart()  # the new offsets are still below the old ones
            runtime.settle()
        events = [CODEC.decode(value).event for value in runtime.read(DELIVERIES)]
        told_of = {one.labels["alertname"] for event in events for one in event.alerts}  # type: ignore[attr-defined]
        assert told_of >= {"A", "B", "C", "D", "E"}
    finally:
        runtime.close()


def test_a_detector_that_runs_is_fed_from_the_new_topic(broker: Broker) -> None:
    """Faust passes over offsets below those it knows, and begins anew instead."""
    settings = settings_for(broker, partitions=1)
    clients = Clients(settings, "test")
    create(clients)
    log = KafkaLog(settings, "test")
    shared = Shared(Settings(kafka=settings), log, lambda _point: None, Figures())
    part = detector.part(shared)
    part.start()
    try:
        log.publish(rules_plan_messages(HOT))
        eventually(lambda: hot(log, settings), 60, "it decides on the first topic")
        made_anew(clients, METRICS, "LogAppendTime")
        before = len(KafkaFile(settings).records(ALERTS))
        eventually(lambda: hot(log, settings) > before, 90, "it decides on the new topic")
    finally:
        part.ask_to_stop()
        assert part.join(10)
        log.close()


HOT = """
groups:
  - {name: hot, interval: 1s, rules: [{alert: Hot, expr: "temperature > 90"}]}
"""


def hot(log: KafkaLog, settings: KafkaSettings) -> int:
    """Send a sample; how many records of alerts there are."""
    now = wall()
    instance = f"host-{now}"
    try:
        log.publish([metrics_message(samples(instance, {"temperature": 99.0}, now), now, 1)], 5.0)
    except LogAway:
        return 0
    return len(KafkaFile(settings).records(ALERTS))
