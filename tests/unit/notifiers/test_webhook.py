import json
from pathlib import Path
from time import monotonic

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.webhook import Webhook
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.http_config import HttpConfig
from notifiers.templating import Templates
from schemas.labels import fingerprint
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.servers import (
    Behave,
    Server,
    answer,
    drip,
    flood,
    hang,
    hang_up,
    serving,
)

NOW = 1_700_000_000.0


def webhook(server: Server | str, **fields: object) -> Webhook:
    url = server if isinstance(server, str) else server.url
    config = WebhookConfig(ChannelKind.WEBHOOK, url=url, **fields)  # type: ignore[arg-type]
    return Webhook(config, allow=LOOPBACK, now=lambda: NOW, templates=Templates())


def failure(behave: Behave, timeout: float = 5.0) -> DeliveryFailed:
    with serving(behave) as server:
        channel = webhook(server)
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(message(timeout))
        channel.close()
    assert "canary" not in str(caught.value)
    return caught.value


def test_the_message_is_alertmanagers_version_4() -> None:
    with serving(answer("200 OK")) as server:
        webhook(server).send(message(attempt=3))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?token=secret-canary HTTP/1.1")
    for line in (
        b"content-type: application/json",
        b"idempotency-key: 0123456789abcdef01234567",
        b"x-tocsin-delivery: 0123456789abcdef01234567",
        b"x-tocsin-attempt: 3",
    ):
        assert line in head.lower()
    assert json.loads(body) == {
        "version": "4",
        "notification_reason": "first notification",
        "routeLabels": {},
        "tocsin": {
            "why": "first notification",
            "incident": "",
            "acknowledgedBy": "",
            "notice": "",
        },
        "groupKey": '{}:{alertname="CPU"}',
        "truncatedAlerts": 2,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": {"alertname": "CPU"},
        "commonLabels": {"alertname": "CPU"},
        "commonAnnotations": {},
        "externalURL": "http://tocsin/",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "CPU", "instance": "a"},
                "annotations": {"summary": "hot"},
                "startsAt": "2023-11-14T22:13:20.25Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://gen/",
                "fingerprint": fingerprint({"alertname": "CPU", "instance": "a"}),
            },
            {
                "status": "resolved",
                "labels": {"alertname": "CPU", "instance": "b"},
                "annotations": {},
                "startsAt": "2023-11-14T22:13:21Z",
                "endsAt": "2023-11-14T22:14:20Z",
                "generatorURL": "",
                "fingerprint": fingerprint({"alertname": "CPU", "instance": "b"}),
            },
        ],
    }


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
def test_any_2xx_means_taken(status: str) -> None:
    with serving(answer(status)) as server:
        webhook(server).send(message())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "reason", "retry"),
    [
        ("429 Too Many", Failure.RATE_LIMITED, True),
        ("500 Oops", Failure.SERVER_ERROR, True),
        ("503 Away", Failure.SERVER_ERROR, True),
        ("400 Bad", Failure.REJECTED, False),
        ("401 Who", Failure.NOT_AUTHORISED, False),
        ("403 No", Failure.NOT_AUTHORISED, False),
        ("404 Where", Failure.REJECTED, False),
        ("413 Large", Failure.REJECTED, False),
    ],
)
def test_a_status_decides_whether_to_try_again(status: str, reason: Failure, retry: bool) -> None:
    failed = failure(answer(status))
    assert (failed.reason, failed.retry, failed.retry_after) == (reason, retry, None)


@pytest.mark.parametrize(
    ("header", "want"),
    [
        ("1", 1.0),
        ("3600", 3_600.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2000 22:14:20 GMT", 0.0),
        ("abc", None),
        ("-5", None),
        ("999999999999999999999", 86_400.0),
        ("", None),
    ],
)
def test_retry_after_is_understood_in_all_its_forms(header: str, want: float | None) -> None:
    assert failure(answer("429 Slow", f"Retry-After: {header}\r\n")).retry_after == want


def test_a_redirect_is_not_followed() -> None:
    with serving(answer("200 OK")) as other:
        failed = failure(answer("307 There", f"Location: {other.url}\r\n"))
    assert (failed.reason, failed.retry, other.requests) == (Failure.REDIRECTED, False, [])


@pytest.mark.parametrize("behave", [hang, drip])
def test_the_deadline_is_total(behave: Behave) -> None:
    began = monotonic()
    failed = failure(behave, timeout=0.4)
    assert (failed.reason, failed.retry) == (Failure.TIMED_OUT, True)
    assert monotonic() - began < 5


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    with serving(flood) as server:
        webhook(server).send(message())
    assert len(server.requests) == 1


def test_a_closed_connection_is_tried_again() -> None:
    assert (failure(hang_up).reason, failure(hang_up).retry) == (Failure.UNREACHABLE, True)


def test_an_answer_that_is_not_http_is_tried_again() -> None:
    failed = failure(lambda peer, stopped: peer.sendall(b"\x00\x01garbage\r\n\r\n"))
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)


def test_without_an_allow_list_only_global_addresses_are_reached() -> None:
    with serving(answer("200 OK")) as server:
        config = WebhookConfig(ChannelKind.WEBHOOK, url=server.url)
        with pytest.raises(DeliveryFailed) as caught:
            Webhook(config, allow=(), now=lambda: NOW, templates=Templates()).send(message())
    assert (caught.value.reason, caught.value.retry) == (Failure.ADDRESS_REFUSED, False)
    assert server.requests == []


def test_a_name_that_changes_its_mind_is_checked_at_each_connection() -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254", "10.0.0.1"]])
    with serving(answer("200 OK")) as server:
        config = WebhookConfig(ChannelKind.WEBHOOK, url=f"http://example.com:{server.port}/")
        channel = Webhook(
            config,
            allow=LOOPBACK,
            now=lambda: NOW,
            templates=Templates(),
            resolver=lambda host, port: next(answers),
        )
        channel.send(message())
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(message())
        channel.close()
    assert caught.value.reason is Failure.ADDRESS_REFUSED
    assert f"host: example.com:{server.port}".encode() in server.requests[0].lower()


def test_a_name_without_an_address_is_tried_again() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    config = WebhookConfig(ChannelKind.WEBHOOK, url="http://nowhere.invalid/")
    channel = Webhook(config, allow=(), now=lambda: NOW, templates=Templates(), resolver=unknown)
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(message())
    assert (caught.value.reason, caught.value.retry) == (Failure.UNREACHABLE, True)


def test_secrets_come_from_files_at_each_send(tmp_path: Path) -> None:
    with serving(answer("200 OK")) as server:
        (tmp_path / "url").write_text(f"{server.url}\n")
        (tmp_path / "token").write_text("t0ken\n")
        config = WebhookConfig(
            ChannelKind.WEBHOOK,
            url_file="url",
            http=HttpConfig((("X-Scope", "one"),), ("Bearer", "", "token")),
        )
        channel = Webhook(
            config, allow=LOOPBACK, now=lambda: NOW, templates=Templates(), directory=tmp_path
        )
        channel.send(message())
        (tmp_path / "token").unlink()
        with pytest.raises(DeliveryFailed) as caught:
            channel.send(message())
    assert b"Authorization: Bearer t0ken\r\n" in server.requests[0]
    assert b"X-Scope: one\r\n" in server.requests[0]
    assert caught.value.reason is Failure.MISCONFIGURED


def test_a_user_in_the_url_becomes_basic_authorisation() -> None:
    with serving(answer("200 OK")) as server:
        webhook(f"http://me:pass@127.0.0.1:{server.port}/").send(message())
    assert b"Authorization: Basic bWU6cGFzcw==\r\n" in server.requests[0]
    assert b"pass@" not in server.requests[0]


def test_a_connection_is_used_again() -> None:
    body = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    seen: list[bytes] = []

    def keep(peer, stopped):  # type: ignore[no-untyped-def]
        peer.sendall(body.encode())
        seen.append(peer.recv(65_536))
        peer.sendall(body.encode())

    with serving(keep) as server:
        channel = webhook(server)
        channel.send(message())
        channel.send(message())
        channel.close()
    assert len(server.requests) == len(seen) == 1
