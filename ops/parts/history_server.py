"""The ClickHouse that history is kept in: a child of this process, or a server of its own."""

from typing import Protocol
from urllib.parse import urlsplit

from ops.history.address import Address
from ops.history.child import HistoryChild
from ops.settings import HistorySettings, Settings


class HistoryServer(Protocol):
    """Where history answers; `address` may raise OSError until it was ready once."""

    @property
    def address(self) -> Address: ...
    @property
    def fault(self) -> str: ...
    @property
    def restarts(self) -> int: ...

    def start(self) -> None:
        """Begin; returns at once."""
        ...

    def wait_ready(self, timeout: float) -> bool:
        """Whether it can be asked, within `timeout` seconds."""
        ...

    def stop(self, timeout: float) -> None:
        """End it, if it is ours."""
        ...


class External:
    """A server that somebody else keeps running; whether it answers, each call finds out."""

    restarts = 0
    fault = ""

    def __init__(self, address: Address) -> None:
        self.address = address

    def start(self) -> None:
        """It runs."""

    def wait_ready(self, timeout: float) -> bool:
        """It may be asked."""
        return True

    def stop(self, timeout: float) -> None:
        """It goes on."""


def server_of(settings: Settings) -> HistoryServer:
    """The server that the settings name, else a child over the data directory."""
    if settings.history.url is None:
        return HistoryChild(settings.data / "history")
    return External(address_of(settings.history))


def address_of(history: HistorySettings) -> Address:
    """Where `history.url` says, and as whom."""
    parts = urlsplit(history.url or "")
    secure = parts.scheme == "https"
    password = history.password.get_secret_value() if history.password else ""
    return Address(
        host=parts.hostname or "",
        port=parts.port or (8443 if secure else 8123),
        user=history.user,
        token=password,
        database=history.database,
        secure=secure,
    )
