"""The channels that the shared suite (tests/laws/test_channels.py) is run with.

A channel over HTTP is one `HttpCase` (vendors' are in tests/support/vendor_cases.py): how to make
it for the URL of a server, what a good server answers, and `decode`, which fails on a request that
the vendor would not take (schema and limits). Any other channel is a `Case` of its own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import Channel
from notifiers.channels.command import Command
from notifiers.channels.command_config import CommandConfig
from notifiers.channels.config import ChannelKind
from notifiers.channels.email import Email
from notifiers.channels.email_config import EmailConfig, Login
from notifiers.channels.jsonl import JsonLines
from notifiers.channels.webhook import Webhook
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.templating import Templates
from tests.support.http_case import CANARY, NOW, Case, HttpCase, Opened
from tests.support.vendor_cases import VENDORS
from tests.unit.notifiers.mail_server import PASSWORD, MailServer, mailing


@dataclass(frozen=True)
class FileCase:
    """The file of JSON lines."""

    name: str = "file"
    exact: bool = True

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Opened]:
        """See `Case`."""
        path = folder / "out.jsonl"

        def lines() -> list[Any]:
            return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]

        yield Opened(JsonLines(folder, path.name), lines)

    def closed(self, folder: Path) -> Channel:
        """See `Case`."""
        return JsonLines(folder / CANARY / "missing", "out.jsonl")


@dataclass(frozen=True)
class CommandCase:
    """A program that keeps what it reads, one file a run."""

    name: str = "command"
    exact: bool = True

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Opened]:
        """See `Case`."""
        line = ("/bin/sh", "-c", 'cat > "$0/$$.json"', str(folder), CANARY)
        channel = Command(CommandConfig(ChannelKind.COMMAND, command=line))

        def told() -> list[Any]:
            files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
            return [json.loads(file.read_bytes()) for file in files]

        yield Opened(channel, told)

    def closed(self, folder: Path) -> Channel:
        """See `Case`."""
        missing = (f"{folder}/{CANARY}", CANARY)
        return Command(CommandConfig(ChannelKind.COMMAND, command=missing))


@dataclass(frozen=True)
class EmailCase:
    """A mail to a real server on loopback; what comes out is the message, parsed."""

    name: str = "email"
    exact: bool = False

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Opened]:
        """See `Case`."""
        with mailing(login=True) as server:
            yield Opened(self._at(server.port), lambda: [_mail(server, n) for n in _taken(server)])

    def closed(self, folder: Path) -> Channel:
        """See `Case`."""
        return self._at(1)

    @staticmethod
    def _at(port: int) -> Email:
        config = EmailConfig(
            ChannelKind.EMAIL,
            to="ops@example.com",
            sender="tocsin@example.com",
            host="127.0.0.1",
            port=port,
            login=Login("ops", password=PASSWORD),
            require_tls=False,
        )
        return Email(config, templates=Templates(), allow=LOOPBACK)


def _taken(server: MailServer) -> range:
    return range(len(server.mails))


def _mail(server: MailServer, number: int) -> Any:
    """The mail; fails on one that breaks the rules of mail (RFC 5322, 2.1.1 and 3.6)."""
    content = server.mails[number].content
    assert isinstance(content, bytes)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    message = server.message(number)
    for name in ("From", "To", "Date", "Subject", "Message-ID"):
        assert len(message.get_all(name, [])) == 1
    assert message["X-Injected"] is None
    assert not message.defects
    return message


def head_and_body(request: bytes) -> tuple[dict[str, str], bytes]:
    """Headers by lower-case name, and the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    pairs = (line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value for name, value in pairs}, body


def _webhook(url: str, folder: Path) -> Channel:
    config = WebhookConfig(ChannelKind.WEBHOOK, url=f"{url}/hook?token={CANARY}")
    return Webhook(config, allow=LOOPBACK, now=lambda: NOW, directory=folder, templates=Templates())


def _decoded_webhook(request: bytes) -> Any:
    headers, body = head_and_body(request)
    found = json.loads(body)
    assert found["version"] == "4"
    return found | {"id": headers["idempotency-key"]}


HTTP_CASES: tuple[HttpCase, ...] = (
    HttpCase("webhook", _webhook, _decoded_webhook, exact=True),
    *VENDORS,
)
CASES: tuple[Case, ...] = (*HTTP_CASES, FileCase(), CommandCase(), EmailCase())
