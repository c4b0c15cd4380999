"""Pings and dead letters through a console on a real broker."""

from pathlib import Path

import httpx
import pytest

from ops.config_kafka import KafkaSettings
from ops.plans import PlanPublisher
from ops.transport.kafka_clients import Clients
from ops.transport.kafka_log import KafkaLog
from ops.transport.kafka_stage_log import KafkaStageLog
from schemas.dead_letter import DeadLetter
from schemas.errors import Reason
from schemas.topics import CODEC, DEAD_LETTERS
from tests.integration.test_kafka_console import Console, log, put
from tests.support.build import T0, envelope
from tests.support.waiting import eventually
from tests.unit.notifiers.deliveries import delivery

pytestmark = pytest.mark.slow

__all__ = ["log"]
ID = "3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11"
ROUTES = f"""
route: {{receiver: ops}}
receivers: [{{name: ops, webhook_configs: [{{}}]}}]
heartbeats: [{{name: backup, id: {ID}, period: 1h}}]
"""


def test_pings_are_taken_and_a_dead_letter_is_sent_again(
    log: tuple[KafkaSettings, KafkaLog], tmp_path: Path
) -> None:
    kafka, made = log
    plans = KafkaStageLog(Clients(kafka, "plans"))
    PlanPublisher(plans).publish("router", ROUTES.encode())
    dead = CODEC.encode(envelope(delivery(receiver="ops"), T0))
    letter = DeadLetter(
        topic="tocsin.deliveries",
        partition=0,
        offset=1,
        stage="courier",
        reason=Reason.DELIVERY_FAILED,
        at=T0,
        original=dead,
    )
    put(made, DEAD_LETTERS, letter)
    with Console(tmp_path, kafka) as console:
        console.start()
        path = "/api/tocsin/v1/heartbeats"
        # Two partitions follow the plan, and one alone waits for the job.
        [job] = eventually(lambda: console.json(path)["heartbeats"])
        assert job["state"] == "new"
        url = f"{console.url}/ping/{ID}/fail"
        assert httpx.post(url, trust_env=False, content=b"disk full").text == "OK"
        eventually(lambda: console.json(path)["heartbeats"][0]["state"] == "down")
        assert eventually(console.names) == ["HeartbeatFailed"]

        [found] = console.json("/api/tocsin/v1/dead-letters")["letters"]
        assert (found["reason"], found["hindrance"]) == ("delivery failed", "")
        again = f"{console.url}/api/tocsin/v1/dead-letters/{found['number']}/resend"
        answer = httpx.post(again, trust_env=False, timeout=30)
        assert (answer.status_code, answer.json().get("attempt")) == (201, 2), answer.text
    plans.close()
