"""`tocsin historian`: writes what the topics carry to a ClickHouse server."""

from collections.abc import Sequence
from dataclasses import replace

from ops.parts.history import HistoryPart
from ops.parts.history_server import server_of
from ops.parts.shared import Shared
from ops.services import StageStatus
from ops.transport.log import Log
from schemas.errors import Refused


class HistorianWorker:
    """See `ops.workers.part.Part`."""

    name = "historian"
    broken = ""

    def __init__(self, shared: Shared[Log]) -> None:
        self._history = HistoryPart(shared, server_of(shared.settings))

    def start(self) -> None:
        """Begin; returns at once."""
        self._history.start()

    def ask_to_stop(self) -> None:
        """Write what was read, and leave the group."""
        self._history.worker.ask_to_stop()

    def join(self, timeout: float) -> bool:
        """Wait for the last block; one that does not go is read again by the next owner."""
        ended = self._history.worker.join(timeout)
        if ended:
            self._history.stop(0.0)
        return ended

    def status(self) -> Sequence[StageStatus]:
        """The historian; as it is all that this process does, it is vital here."""
        return [replace(self._history.status(), vital=True)]


def part(shared: Shared[Log]) -> HistorianWorker:
    """A member of the historians' group.

    Raises `Refused` without a server: a child's rows would be this process's alone.
    """
    if shared.settings.history.url is None:
        raise Refused(
            "history.url: is missing: on Kafka history needs a ClickHouse server, "
            'for example "http://clickhouse:8123"'
        )
    return HistorianWorker(shared)
