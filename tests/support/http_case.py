"""What the shared suite of channels wants of a case; see tests/support/channel_cases.py."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from notifiers.channels.channel import Channel, Failure
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
