"""`http_config` whole: what is read, and what a server gets of it."""

import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.config import ChannelKind
from notifiers.channels.http import Caller
from notifiers.channels.tls_config import TlsConfig
from notifiers.channels.webhook import Webhook
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.config import read
from notifiers.http_config import HttpConfig
from notifiers.templating import Templates
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.servers import answer, serving

NOW = 1_700_000_000.0


def webhook_of(keys: str, url: str = "http://example.com/") -> WebhookConfig:
    config, problems = read(_routes(keys, url), "r.yml")
    assert config is not None, problems
    [found] = config.receivers["a"].channels
    assert isinstance(found, WebhookConfig)
    return found


def problems_of(keys: str) -> str:
    config, problems = read(_routes(keys, "http://example.com/"), "r.yml")
    assert config is None
    return "\n".join(map(str, problems))


def _routes(keys: str, url: str) -> str:
    head = "route: {receiver: a}\nreceivers:\n- name: a\n  webhook_configs:\n"
    return f"{head}  - {{url: '{url}', {keys}}}\n"


def sent(keys: str, folder: Path) -> tuple[dict[str, str], bytes]:
    """Headers and body of what a webhook with these keys sends."""
    with serving(answer("200 OK")) as server:
        config = webhook_of(keys, f"http://127.0.0.1:{server.port}/x")
        channel = Webhook(
            config, allow=LOOPBACK, now=lambda: NOW, directory=folder, templates=Templates()
        )
        channel.send(message())
        channel.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value for name, value in lines}, body


@pytest.mark.parametrize(
    ("keys", "want"),
    [
        ("http_config: {basic_auth: {username: me, password: pass}}", "Basic bWU6cGFzcw=="),
        ("http_config: {basic_auth: {username: me, password_file: p}}", "Basic bWU6cGFzcw=="),
        ("http_config: {basic_auth: {username_file: u, password_file: p}}", "Basic bWU6cGFzcw=="),
        ("http_config: {bearer_token: pass}", "Bearer pass"),
        ("http_config: {bearer_token_file: p}", "Bearer pass"),
        ("http_config: {authorization: {type: Token, credentials: pass}}", "Token pass"),
    ],
)
def test_a_server_is_told_who_asks(keys: str, want: str, tmp_path: Path) -> None:
    (tmp_path / "u").write_text("me\n")
    (tmp_path / "p").write_text("pass\n")
    headers, _ = sent(keys, tmp_path)
    assert headers["authorization"] == want


def test_headers_have_values_secrets_and_files(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("three\n")
    keys = "{X-A: {values: [one]}, X-B: {secrets: [two]}, X-C: {files: [f]}}"
    headers, _ = sent(f"http_config: {{http_headers: {keys}}}", tmp_path)
    assert [headers[name] for name in ("x-a", "x-b", "x-c")] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("keys", "want"),
    [
        ("http_config: {proxy_url: 'http://p/'}", "proxies are not used"),
        ("http_config: {oauth2: {client_id: x}}", "not supported yet"),
        ("http_config: {bearer_token: a, bearer_token_file: b}", "at most one of bearer_token"),
        ("http_config: {bearer_token: a, basic_auth: {username: b}}", "at most one of basic_auth"),
        ("http_config: {basic_auth: {password: a, password_file: b}}", "basic_auth password"),
        ("http_config: {authorization: {type: basic, credentials: x}}", 'use "basic_auth"'),
        ("http_config: {http_headers: {Host: {values: [x]}}}", 'header "Host" is not allowed'),
        ("http_config: {http_headers: {X-A: {values: ['x\\ty']}}}", None),
        ("hmac: {algorithm: md5, secret: x}", "sha256 is the only algorithm"),
        ("hmac: {header: X-A}", "one of secret or secret_file"),
        ("payload: {a: '{{ .Bad'}", "payload"),
        ("payload: 3", "payload"),
    ],
)
def test_what_is_wrong_is_said_by_key(keys: str, want: str | None) -> None:
    if want is None:
        keys, want = keys.replace("'x\\ty'", '"x\\ny"'), "not a header"
    assert want in problems_of(keys)


@pytest.mark.parametrize("follows", ["false", "true"])
def test_what_changes_nothing_is_taken(follows: str) -> None:
    """Alertmanager prints its defaults into every file that it shows."""
    keys = f"http_config: {{follow_redirects: {follows}, enable_http2: true, proxy_url: null}}"
    assert webhook_of(keys).http == HttpConfig()


def test_a_repr_shows_no_secret() -> None:
    keys = "hmac: {secret: canary}, http_config: {basic_auth: {username: x, password: canary}}"
    config = webhook_of(keys, "http://example.com/canary")
    assert "canary" not in f"{config!r} {config.http!r} {config.hmac!r}"


def test_a_signature_covers_the_time_and_the_body(tmp_path: Path) -> None:
    """As docs/notification.md tells a receiver to verify it."""
    (tmp_path / "s").write_text("shared\n")
    headers, body = sent("hmac: {secret_file: s}", tmp_path)
    stated = dict(one.split("=", 1) for one in headers["x-tocsin-signature"].split(","))
    signed = stated["t"].encode() + b"." + body
    want = hmac.new(b"shared", signed, hashlib.sha256).hexdigest()
    assert (stated["t"], stated["v1"]) == ("1700000000", want)


def test_a_payload_takes_the_place_of_the_message(tmp_path: Path) -> None:
    keys = 'payload: {text: "{{ .Status }}", n: "{{ len .Alerts }}", deep: [{a: plain}]}'
    _, body = sent(keys, tmp_path)
    assert json.loads(body) == {"text": "firing", "n": 2, "deep": [{"a": "plain"}]}


def test_a_url_may_be_a_template() -> None:
    with serving(answer("200 OK")) as server:
        url = f"http://127.0.0.1:{server.port}/{{{{ .GroupLabels.alertname }}}}"
        config = WebhookConfig(ChannelKind.WEBHOOK, url=url)
        channel = Webhook(config, allow=LOOPBACK, now=lambda: NOW, templates=Templates())
        channel.send(message())
        channel.close()
    assert server.requests[0].startswith(b"POST /CPU HTTP/1.1\r\n")


@dataclass
class TlsServer:
    """Where it listens, and the subjects of clients' certificates that came."""

    url: str
    clients: list[object] = field(default_factory=list)


@contextmanager
def tls(authority: trustme.CA, name: str, *, asks: bool = False) -> Iterator[TlsServer]:
    """An HTTPS server with a certificate for this name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.clients.append(self.connection.getpeercert())
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = TlsServer(f"https://127.0.0.1:{server.server_port}/")
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def called(server: TlsServer, config: TlsConfig, folder: Path) -> int:
    caller = Caller(HttpConfig(tls=config), allow=LOOPBACK, now=lambda: NOW, directory=folder)
    try:
        return caller.post(server.url, b"{}", {}, message()).status
    finally:
        caller.close()


def test_a_server_is_trusted_by_the_authority_in_a_file(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with tls(authority, "127.0.0.1") as server:
        assert called(server, TlsConfig(ca_file="ca.pem"), tmp_path) == 200
        with pytest.raises(DeliveryFailed) as caught:
            called(server, TlsConfig(), tmp_path)
        assert (caught.value.reason, caught.value.retry) == (Failure.UNREACHABLE, True)
        assert called(server, TlsConfig(insecure_skip_verify=True), tmp_path) == 200


def test_a_server_may_have_another_name(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with tls(authority, "inside.example") as server:
        named = TlsConfig(ca_file="ca.pem", server_name="inside.example")
        assert called(server, named, tmp_path) == 200
        with pytest.raises(DeliveryFailed):
            called(server, TlsConfig(ca_file="ca.pem"), tmp_path)


def test_a_client_shows_its_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = authority.issue_cert("client.example")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    with tls(authority, "127.0.0.1", asks=True) as server:
        shown = TlsConfig(ca_file="ca.pem", cert_file="cert.pem", key_file="key.pem")
        assert called(server, shown, tmp_path) == 200
        assert "client.example" in str(server.clients)
        with pytest.raises(DeliveryFailed):
            called(server, TlsConfig(ca_file="ca.pem"), tmp_path)


def test_a_certificate_that_is_not_there_is_said_and_tried_again(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        called(TlsServer("https://127.0.0.1:1/"), TlsConfig(ca_file="none.pem"), tmp_path)
    assert (caught.value.reason, caught.value.retry) == (Failure.MISCONFIGURED, True)
