"""What agents, couriers and historians ask of a log, whichever it is."""

from collections.abc import Sequence
from typing import Protocol

from ops.transport.stage_log import Clock
from schemas.stage import Inbox, Publish


class Log(Publish, Protocol):
    """Append, read as a member of a group, and know its time."""

    @property
    def clock(self) -> Clock:
        """The log's clock, as far as this machine knows it, in ms."""
        ...

    def inbox(self, group: str, topics: Sequence[str]) -> Inbox:
        """Join a consumer group; raises `LogAway` while the log does not answer."""
        ...

    def close(self) -> None:
        """Let go of it; what was published is durable already."""
        ...
