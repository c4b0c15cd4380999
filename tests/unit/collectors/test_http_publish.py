"""The agent's door to another machine's log over HTTP."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import ormsgpack
import pytest

from collectors.http_publish import HttpPublish
from collectors.retry import Throttled
from schemas.errors import LogAway, Refused, TooLarge
from schemas.stage import Message, Partition, Position
from schemas.topics import METRICS
from tests.unit.collectors.servers import answers, certificate, drips, hangs, server

TWO = [Message(METRICS, "web-1", b"\x00\xff"), Message(METRICS, "web-2", b"b")]


def publisher(
    answer: Callable[[httpx.Request], httpx.Response], token: Callable[[], str] = lambda: "t"
) -> HttpPublish:
    return HttpPublish("https://t.example/", token, transport=httpx.MockTransport(answer))


def test_messages_are_posted_with_the_token_and_their_positions_come_back() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"positions": [[METRICS, 0, 7, 99], [METRICS, 3, 8, 99]]})

    assert publisher(answer, lambda: "s3cret\n").publish(TWO) == [
        Position(Partition(METRICS, 0), 7, 99),
        Position(Partition(METRICS, 3), 8, 99),
    ]
    (request,) = asked
    assert str(request.url) == "https://t.example/api/tocsin/v1/publish"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["Content-Type"] == "application/msgpack"
    assert ormsgpack.unpackb(request.content) == [
        [METRICS, "web-1", b"\x00\xff"],
        [METRICS, "web-2", b"b"],
    ]


def test_nothing_to_publish_asks_nobody() -> None:
    assert publisher(lambda _: httpx.Response(500)).publish([]) == []


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, Refused),
        (422, Refused),
        (413, TooLarge),
        (401, LogAway),
        (403, LogAway),
        (404, LogAway),
        (301, LogAway),
        (408, LogAway),
        (429, LogAway),
        (500, LogAway),
        (502, LogAway),
        (503, LogAway),
    ],
)
def test_every_answer_has_its_fate(status: int, fault: type[Exception]) -> None:
    with pytest.raises(fault) as caught:
        publisher(lambda _: httpx.Response(status, text="because")).publish(TWO)
    assert type(caught.value) is fault
    assert "because" in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heeded_within_reason(status: int) -> None:
    for asked, wait in (("7", 7.0), ("999999", 300.0)):
        with pytest.raises(Throttled) as caught:
            publisher(
                lambda _, asked=asked: httpx.Response(status, headers={"Retry-After": asked})  # type: ignore[misc]
            ).publish(TWO)
        assert caught.value.wait == wait


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"{}",
        b"[]",
        b'{"positions": 3}',
        b'{"positions": [[1]]}',
        b'{"positions": [["t", 0, 1, 2]]}',
    ],
)
def test_a_200_that_is_not_the_server_s_is_no_success(body: bytes) -> None:
    with pytest.raises(LogAway):
        publisher(lambda _: httpx.Response(200, content=body)).publish(TWO)


def test_a_new_token_takes_effect_after_the_old_one_was_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["Authorization"] != "Bearer new":
            return httpx.Response(401)
        return httpx.Response(200, json={"positions": [[METRICS, 0, 1, 2]] * 2})

    door = publisher(answer, file.read_text)
    with pytest.raises(LogAway, match="token"):
        door.publish(TWO)
    file.write_text("new\n")
    assert len(door.publish(TWO)) == 2


def test_a_token_that_cannot_be_read_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(LogAway, match="token cannot be read"):
        publisher(lambda _: httpx.Response(200), (tmp_path / "none").read_text).publish(TWO)


def test_a_token_never_shows_in_an_error() -> None:
    for token in ("s3cret", "s3cret\nX: y", "s3crét"):
        with pytest.raises(LogAway) as caught:
            publisher(lambda _: httpx.Response(403), lambda token=token: token).publish(TWO)  # type: ignore[misc]
        assert "s3cr" not in str(caught.value)


def test_a_server_without_a_scheme_is_refused() -> None:
    with pytest.raises(Refused, match="https://"):
        HttpPublish("t.example:8080", lambda: "t")


def test_a_server_that_is_not_there_or_takes_its_time_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    door = HttpPublish(f"http://127.0.0.1:{port}", lambda: "t")
    with pytest.raises(LogAway):
        door.publish(TWO)
    door.close()
    for behave in (hangs, drips()):
        with server(behave) as address:
            door = HttpPublish(f"http://{address}", lambda: "t")
            begun = time.monotonic()
            with pytest.raises(LogAway):
                door.publish(TWO, timeout=0.3)
            assert time.monotonic() - begun < 2.0
            door.close()


def test_a_server_s_certificate_is_checked_against_the_given_authorities(tmp_path: Path) -> None:
    context, cert = certificate(tmp_path)
    body = b'{"positions": [["t", 0, 1, 2], ["t", 0, 2, 2]]}'
    with server(answers(body), context) as address:
        trusting = HttpPublish(f"https://{address}", lambda: "t", ca_file=cert)
        assert len(trusting.publish(TWO)) == 2
        trusting.close()
        wary = HttpPublish(f"https://{address}", lambda: "t")
        with pytest.raises(LogAway, match=r"(?i)certificate"):
            wary.publish(TWO)
        wary.close()
