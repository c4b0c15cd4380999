"""The probe against real servers: every kind of fault ends within the deadline."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from collectors.sources import httpx_probe
from collectors.sources.http_check import HttpCheck, HttpReading, Phase
from collectors.sources.httpx_probe import HttpSource
from tests.unit.collectors.servers import (
    Behaviour,
    answers,
    certificate,
    drips,
    endless,
    hangs,
    says,
    server,
)


def probed(url: str, timeout: str = "500ms", **options: Any) -> tuple[HttpReading, float]:
    """A probe's reading, and whether it succeeded."""
    check = HttpCheck.model_validate({"name": "web", "url": url, "timeout": timeout, **options})
    source = HttpSource(check)
    begun = time.monotonic()
    reading = source.read(1_000)
    assert time.monotonic() - begun < check.timeout.total_seconds() + 1.0
    samples = dict(source.observe(reading).samples)
    (success,) = (v for labels, v in samples.items() if ("__name__", "probe_success") in labels)
    return reading, success


def test_a_good_answer() -> None:
    with server(answers(b"all is well")) as address:
        reading, success = probed(f"http://{address}/health?a=b")
    assert success == 1.0
    assert (reading.status, reading.body, reading.content_length) == (200, b"all is well", 11)
    assert (reading.ip_version, reading.tls, reading.version) == (4, False, "HTTP/1.1")
    assert set(reading.phases) == {
        Phase.RESOLVE,
        Phase.CONNECT,
        Phase.PROCESSING,
        Phase.TRANSFER,
    }
    assert sum(reading.phases.values()) <= reading.duration


def test_the_request_is_what_was_configured() -> None:
    heads: list[bytes] = []

    def remember(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        answers()(connection, head)

    with server(remember) as address:
        probed(f"http://{address}/x?y=1", method="OPTIONS", headers={"X-Key": "k", "Host": "other"})
    (head,) = heads
    assert head.startswith(b"OPTIONS /x?y=1 HTTP/1.1\r\n")
    assert b"X-Key: k\r\n" in head
    assert b"Host: other\r\n" in head
    assert b"User-Agent: tocsin-agent\r\n" in head


@pytest.mark.parametrize(
    "behave",
    [
        hangs,
        drips(),
        drips(b"a", b"HTTP/1.1 200 OK\r\nX: "),
        drips(b"\r\n1", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"),
    ],
    ids=["hangs", "drips its body", "drips its headers", "drips chunks"],
)
def test_a_server_that_takes_its_time_is_left_at_the_deadline(behave: Behaviour) -> None:
    with server(behave) as address:
        reading, success = probed(f"http://{address}/")
    assert success == 0.0
    assert "timed out after 0.5 s" in reading.error or "failed" in reading.error
    assert reading.duration < 1.0


@pytest.mark.parametrize(
    "text",
    [b"", b"not http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"],
    ids=["nothing", "no HTTP", "less than promised"],
)
def test_a_broken_answer_fails_and_says_why(text: bytes) -> None:
    with server(says(text)) as address:
        reading, success = probed(f"http://{address}/")
    assert success == 0.0
    assert "failed: " in reading.error


def test_of_a_huge_body_only_the_beginning_is_read() -> None:
    with server(endless) as address:
        reading, success = probed(f"http://{address}/", timeout="5s", body_matches="y")
    assert len(reading.body) == 65_536
    assert reading.cut
    assert reading.content_length == 10_000_000_000
    assert reading.duration < 2.0
    assert success == 0.0


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    reading, success = probed(f"http://127.0.0.1:{port}/")
    assert success == 0.0
    assert reading.error.startswith("connect failed")
    assert "refused" in reading.error or "failed" in reading.error


def test_a_name_that_does_not_exist() -> None:
    reading, success = probed("http://no-such-name.invalid/", timeout="5s")
    assert success == 0.0
    assert reading.error.startswith(("resolve failed", "timed out"))


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(host: str, port: int, timeout: float) -> list[str]:
        raise TimeoutError

    monkeypatch.setattr(httpx_probe, "addresses", slow)
    reading, success = probed("http://example.org/")
    assert success == 0.0
    assert reading.error == "timed out after 0.5 s (resolve)"


def test_the_next_address_is_tried_when_one_takes_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(httpx_probe, "addresses", lambda *_: ["127.0.0.9", "127.0.0.1"])
    with server(answers()) as address:
        reading, success = probed(f"http://localhost:{address.split(':')[1]}/")
    assert success == 1.0, reading.error


def redirects(to: str) -> Behaviour:
    return answers(b"", "302 Found", f"Location: {to}")


def test_a_redirect_is_not_followed_unless_told() -> None:
    with server(redirects("/other")) as address:
        reading, success = probed(f"http://{address}/")
    assert (reading.status, reading.redirects, success) == (302, 0, 0.0)


def test_a_redirect_is_followed_when_told_and_headers_stay_with_their_host() -> None:
    heads: list[bytes] = []

    def remember(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        answers()(connection, head)

    with (
        server(remember) as last,
        server(redirects(f"http://{last}/there")) as first,
    ):
        reading, success = probed(
            f"http://{first}/", follow_redirects=True, headers={"Authorization": "Bearer s3cret"}
        )
    assert (reading.status, reading.redirects, success) == (200, 1, 1.0)
    assert heads[0].startswith(b"GET /there ")
    assert b"s3cret" not in heads[0]


def test_a_redirect_loop_ends() -> None:
    with server(redirects("/again")) as address:
        reading, success = probed(f"http://{address}/", timeout="5s", follow_redirects=True)
    assert success == 0.0
    assert "more than 10 redirects" in reading.error


@pytest.mark.parametrize("to", ["file:///etc/passwd", "gopher://x/", "http://[", "//"])
def test_a_redirect_to_what_is_not_http_is_not_followed(to: str) -> None:
    with server(redirects(to)) as address:
        reading, success = probed(f"http://{address}/", follow_redirects=True)
    assert success == 0.0
    assert reading.error


def test_tls_with_a_trusted_certificate_tells_its_expiry(tmp_path: Path) -> None:
    context, cert = certificate(tmp_path)
    with server(answers(), context) as address:
        port = address.split(":")[1]
        reading, success = probed(
            f"https://localhost:{port}/", timeout="5s", interval="5s", ca_file=str(cert)
        )
    assert success == 1.0, reading.error
    assert reading.tls
    assert reading.cert_expiry is not None
    assert 20 * 86_400 < reading.cert_expiry - time.time() < 31 * 86_400
    assert reading.phases[Phase.TLS] > 0


def test_a_certificate_that_nobody_trusts_fails_unless_told(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with server(answers(), context) as address:
        reading, success = probed(f"https://{address}/", timeout="5s")
        assert success == 0.0
        assert reading.error.startswith("tls failed")
        assert "certificate" in reading.error
        reading, success = probed(f"https://{address}/", timeout="5s", verify_tls=False)
        assert success == 1.0, reading.error


def test_a_server_that_does_not_speak_tls_fails() -> None:
    with server(answers()) as address:
        reading, success = probed(f"https://{address}/", timeout="1s")
    assert success == 0.0
    assert reading.error


def test_an_address_that_swallows_packets_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, server(answers()) as address:
        port = int(address.split(":")[1])
        # A listener whose queue is full drops what comes: two connections fill a backlog of 0.
        held = [socket.socket() for _ in range(3)]
        for each in held:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        assert probed(f"http://127.0.0.1:{full.getsockname()[1]}/")[0].error == (
            "timed out after 0.5 s (connect)"
        )
        monkeypatch.setattr(httpx_probe, "addresses", lambda *_: ["192.0.2.1", "127.0.0.1"])
        reading, success = probed(f"http://localhost:{port}/", timeout="1s")
        for each in held:
            each.close()
    assert success == 1.0, reading.error


def test_authorities_that_cannot_be_read_are_named() -> None:
    reading, success = probed("https://127.0.0.1:9/", ca_file="no-such-file.pem")
    assert success == 0.0
    assert "ca_file no-such-file.pem" in reading.error
