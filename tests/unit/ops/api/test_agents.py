from collections.abc import AsyncIterator
from typing import Any

import httpx
import ormsgpack
import pytest

from schemas.alerts import AlertBatch
from schemas.checks import CheckResult, CheckStatus
from schemas.envelope import Envelope, Producer
from schemas.errors import LogAway, LogFull, TooLarge
from schemas.event import Event
from schemas.labels import labels_of
from schemas.metrics import metric_batch
from schemas.topics import ALERTS, CODEC, METRICS
from tests.support.fake_services import NOW, FakeServices
from tests.unit.ops.api.asking import BEARER, ask

DOOR = "/api/tocsin/v1/publish"
BATCH = metric_batch("web-1", [labels_of({"__name__": "up"})], [1.0], [NOW])
CHECK = CheckResult(
    instance="web-1", check="http", target="x", status=CheckStatus.HEALTHY, at=NOW, duration=0.1
)


def wire(event: Event) -> bytes:
    return CODEC.encode(Envelope("id", Producer("agent"), NOW, event))


def post(items: Any, services: FakeServices | None = None) -> httpx.Response:
    return ask("POST", DOOR, services, headers=BEARER, content=ormsgpack.packb(items))


def test_batches_and_checks_are_appended_as_they_came() -> None:
    services = FakeServices()
    items = [[METRICS, "web-1", wire(BATCH)], [METRICS, "web-1", wire(CHECK)]]
    answer = post(items, services)
    assert answer.json() == {"positions": [[METRICS, 0, 0, NOW], [METRICS, 0, 1, NOW]]}
    assert [[m.topic, m.key, m.value] for m in services.publish.messages] == items


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ([ALERTS, "default", wire(BATCH)], "tocsin.alerts"),
        ([METRICS, "web-2", wire(BATCH)], "key"),
        ([METRICS, "web-1", b"\xc1"], "MessagePack"),
        ([METRICS, "web-1", b""], "null or empty"),
        (
            [METRICS, "web-1", wire(AlertBatch(source="r", plan=1, decided_at=NOW, alerts=()))],
            "alerts",
        ),
        ([METRICS, "web-1"], "topic, key, value"),
        ({"topic": METRICS}, "topic, key, value"),
        ([METRICS, 7, wire(BATCH)], "topic, key, value"),
    ],
)
def test_one_bad_message_is_named_and_nothing_is_appended(bad: Any, why: str) -> None:
    services = FakeServices()
    answer = post([[METRICS, "web-1", wire(BATCH)], bad], services)
    assert answer.status_code == 400
    assert "message 1 " in answer.json()["error"]
    assert why in answer.json()["error"]
    assert services.publish.messages == []


@pytest.mark.parametrize("body", [b"", b"\xc1", ormsgpack.packb({"a": 1}), ormsgpack.packb(7)])
def test_a_body_that_is_no_list_of_messages_is_refused(body: bytes) -> None:
    assert ask("POST", DOOR, headers=BEARER, content=body).status_code == 400


@pytest.mark.parametrize("fault", [LogAway("busy"), LogFull("full")])
def test_while_the_log_is_away_agents_are_told_when_to_come_again(fault: Exception) -> None:
    services = FakeServices()
    services.publish.fault = fault
    answer = post([[METRICS, "web-1", wire(BATCH)]], services)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_a_message_above_the_logs_limit_is_too_large() -> None:
    services = FakeServices()
    services.publish.fault = TooLarge("1 MB is the limit")
    assert post([[METRICS, "web-1", wire(BATCH)]], services).status_code == 413


def test_a_body_above_16_mib_is_refused_before_it_is_read_whole() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield bytes(1024 * 1024)

    assert ask("POST", DOOR, headers=BEARER, content=endless()).status_code == 413
    declared = {**BEARER, "content-length": str(17 * 1024 * 1024)}
    assert ask("POST", DOOR, headers=declared, content=b"").status_code == 413
