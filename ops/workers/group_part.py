"""A stage that decides, as a worker of its own: a group's member and the drivers it feeds."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ops.runtime.partitions import Partitions
from ops.runtime.threads import Worker
from ops.services import StageStatus


class Group(Protocol):
    """What feeds the drivers; see `ops.runtime.faust_app` and `ops.runtime.kafka_transactions`."""

    joined: threading.Event

    def run(self, stop: threading.Event) -> None: ...


class GroupPart:
    """See `ops.workers.part.Part`."""

    def __init__(self, partitions: Partitions, group: Group) -> None:
        self.name = partitions.name
        self._partitions = partitions
        self._group = group
        self._worker = Worker(f"{self.name}-group", group.run)

    @property
    def broken(self) -> str:
        """Why a driver stopped for good; empty while none did."""
        return self._partitions.broken

    def start(self) -> None:
        """Join the group; returns at once."""
        self._worker.start()

    def ask_to_stop(self) -> None:
        """Commit first, then leave the group, so that the next owner finds everything."""
        self._partitions.ask_to_stop()
        threading.Thread(target=self._leave, name=f"{self.name}-leaving", daemon=True).start()

    def join(self, timeout: float) -> bool:
        """Wait for the drivers, and for the group to be left."""
        ends = time.monotonic() + timeout
        drivers = self._partitions.join(timeout)
        return self._worker.join(max(0.0, ends - time.monotonic())) and drivers

    def status(self) -> Sequence[StageStatus]:
        """Ready once it is a member, and has read to the end of what it owns."""
        status = self._partitions.status()
        joined = self._group.joined.is_set()
        message = status.message or self._worker.failure or ("" if joined else "joining its group")
        return [
            replace(
                status,
                healthy=status.healthy and not self._worker.failure,
                ready=status.ready and joined and not self._worker.failure,
                message=message,
            )
        ]

    def _leave(self) -> None:
        self._partitions.join(5.0)
        self._worker.ask_to_stop()
