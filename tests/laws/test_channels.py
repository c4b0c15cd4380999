"""The laws of a channel, for every channel."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import Channel, DeliveryFailed
from notifiers.channels.config import ChannelKind
from notifiers.channels.jsonl import JsonLines
from notifiers.channels.webhook import Webhook
from notifiers.channels.webhook_config import WebhookConfig
from tests.unit.notifiers.deliveries import delivery, message
from tests.unit.notifiers.servers import answer, serving

HOSTILE = [
    "line\nbreak",
    "\r\nX-Injected: 1\r\n\r\n",
    "\u2028\u2029\x85\x00\x1b[31m",
    '"},{"',
    "<script>alert(1)</script>",
    "{{ template }}",
    "ü" * 10_000,
]


@dataclass
class Case:
    """A channel, what has come out of it, and one like it whose way out is closed."""

    channel: Channel
    came_out: Callable[[], list[dict[str, Any]]]
    closed: Channel


@pytest.fixture(params=["webhook", "jsonl"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    with ExitStack() as stack:
        if request.param == "webhook":
            server = stack.enter_context(serving(answer("200 OK", body=b"fine")))

            def bodies() -> list[dict[str, Any]]:
                return [
                    json.loads(one.partition(b"\r\n\r\n")[2]) | {"id": _header(one)}
                    for one in server.requests
                ]

            channel = webhook(server.url)
            # Port 1 of loopback: nobody listens there.
            case = Case(channel, bodies, webhook("http://127.0.0.1:1/secret-canary"))
        else:
            path = tmp_path / "out.jsonl"
            case = Case(
                JsonLines(path.parent, path.name),
                lambda: [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]],
                JsonLines(tmp_path / "secret-canary" / "missing", "out.jsonl"),
            )
        yield case
        case.channel.close()
        case.closed.close()


def webhook(url: str) -> Webhook:
    config = WebhookConfig(ChannelKind.WEBHOOK, url=url)
    return Webhook(config, allow=LOOPBACK, now=lambda: 0.0)


def _header(request: bytes) -> str:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return next(line.split(": ")[1] for line in lines if line.startswith("Idempotency-Key"))


def test_a_message_arrives_whole_with_its_id(case: Case) -> None:
    case.channel.send(message())
    [out] = case.came_out()
    assert out["id"] == delivery().id
    assert out["groupKey"] == delivery().group_key
    assert [one["status"] for one in out["alerts"]] == ["firing", "resolved"]


def test_every_try_carries_the_same_id(case: Case) -> None:
    case.channel.send(message())
    case.channel.send(message(attempt=2))
    assert [out["id"] for out in case.came_out()] == [delivery().id] * 2


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(case: Case, text: str) -> None:
    case.channel.send(message(group_labels={"x": text}, group_key=text))
    case.channel.send(message())
    first, second = case.came_out()
    assert first["groupLabels"] == {"x": text}
    assert first["groupKey"] == text
    assert second["groupLabels"] == {"alertname": "CPU"}


def test_a_closed_way_is_tried_again_later_and_no_secret_is_told(
    case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    with pytest.raises(DeliveryFailed) as caught:
        case.closed.send(message())
    assert caught.value.retry
    assert "canary" not in f"{caught.value} {caught.value.detail} {caplog.text}"


def test_success_logs_no_secret(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    case.channel.send(message())
    assert "canary" not in caplog.text


def test_many_threads_may_send_at_once(case: Case) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: case.channel.send(message(id=f"id-{n}")), range(40)))
    assert sorted(out["id"] for out in case.came_out()) == sorted(f"id-{n}" for n in range(40))
