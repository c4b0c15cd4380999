"""The channels that the shared suite (tests/laws/test_channels.py) is run with.

A channel over HTTP is one `HttpCase` in `CASES`: how to make it for the URL of a server, what a
good server answers, and `decode`, which fails on a request that the vendor would not take (schema
and limits). Any other channel is a `Case` of its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import Channel, Failure
from notifiers.channels.command import Command
from notifiers.channels.command_config import CommandConfig
from notifiers.channels.config import ChannelKind
from notifiers.channels.jsonl import JsonLines
from notifiers.channels.webhook import Webhook
from notifiers.channels.webhook_config import WebhookConfig
from notifiers.templating import Templates
from tests.unit.notifiers.servers import Respond, hang_up, response, serving

CANARY = "secret-canary"
"""Stands in every secret of every case; nothing that is logged or raised may hold it."""
NOW = 1_700_000_000.0
CLOSED = f"http://127.0.0.1:1/{CANARY}"
"""Port 1 of loopback: nobody listens there."""
STATUSES: Mapping[int, tuple[Failure, bool]] = {
    307: (Failure.REDIRECTED, False),
    400: (Failure.REJECTED, False),
    401: (Failure.NOT_AUTHORISED, False),
    403: (Failure.NOT_AUTHORISED, False),
    404: (Failure.REJECTED, False),
    413: (Failure.REJECTED, False),
    429: (Failure.RATE_LIMITED, True),
    500: (Failure.SERVER_ERROR, True),
    503: (Failure.SERVER_ERROR, True),
}
"""What a status means, and whether it is worth another try; a case may say otherwise."""


@dataclass
class Opened:
    """A channel whose other side takes everything, and what has come out there, decoded."""

    channel: Channel
    came_out: Callable[[], list[Any]]


class Case(Protocol):
    """One channel, as the laws want it."""

    @property
    def name(self) -> str:
        """The name in the test's id."""
        ...

    @property
    def exact(self) -> bool:
        """Whether what comes out is the webhook's JSON with the delivery's `id`."""
        ...

    def opened(self, folder: Path) -> AbstractContextManager[Opened]:
        """With a server of its protocol, while the block runs."""
        ...

    def closed(self, folder: Path) -> Channel:
        """One whose way out is closed."""
        ...


@dataclass(frozen=True)
class HttpCase:
    """A channel over HTTP. `at` gets the URL of a server (no path, no slash) and a folder."""

    name: str
    at: Callable[[str, Path], Channel]
    decode: Callable[[bytes], Any]
    respond: Respond = field(default=lambda request: response("200 OK", b"fine"))
    statuses: Mapping[int, tuple[Failure, bool]] = field(default_factory=lambda: STATUSES)
    flooded: Failure | None = None
    """What an endless answer with status 200 means: nothing where the body is of no interest."""
    exact: bool = False

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Opened]:
        """See `Case`."""
        with serving(hang_up, self.respond) as server:
            channel = self.at(f"http://127.0.0.1:{server.port}", folder)
            yield Opened(channel, lambda: [self.decode(one) for one in server.requests])
            channel.close()

    def closed(self, folder: Path) -> Channel:
        """See `Case`."""
        return self.at(CLOSED, folder)


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


HTTP_CASES: tuple[HttpCase, ...] = (HttpCase("webhook", _webhook, _decoded_webhook, exact=True),)
CASES: tuple[Case, ...] = (*HTTP_CASES, FileCase(), CommandCase())
