"""A topic that is deleted and made again under a stage: what it knows stays, and it goes on."""

from notifiers.router import Router
from ops.deploy.kafka.broker import Broker
from ops.transport.kafka_clients import Clients
from processors.detector import Detector
from schemas.topics import ALERTS, DELIVERIES, METRICS
from tests.laws.test_router_runtimes import alert_stream, router_plan
from tests.laws.test_runtimes import RULES, decisions, stream
from tests.support.build import T0, rules_plan_messages
from tests.support.kafka import settings_for
from tests.support.kafka_runtime import OnKafka


def made_anew(runtime: OnKafka, clients: Clients, topic: str) -> None:
    admin = clients.admin()
    name = clients.named(topic)
    admin.delete_topics([name])
    while name in admin.list_topics():
        pass
    config = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1, "configs": config}})
    admin.wait_for_topics([name])
    admin.close()
    runtime.restart()


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
        made_anew(runtime, Clients(settings, "test"), METRICS)
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
        before = len(runtime.read(DELIVERIES))
        made_anew(runtime, Clients(settings, "test"), ALERTS)
        later = [(now + 600_000, message) for now, message in alert_stream([(5, 80), (9, 10)])]
        for now, message in later:
            runtime.publish([message], now)
        runtime.publish([later[-1][1]], later[-1][0] + 60_000)
        runtime.settle()
        assert len(runtime.read(DELIVERIES)) > before
    finally:
        runtime.close()
