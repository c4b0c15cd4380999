"""Several stages in one worker."""

import time
from collections.abc import Sequence

from ops.services import StageStatus
from ops.workers.group_part import GroupPart


class Parts:
    """Some parts as one, named by the first; see `ops.workers.part.Part`."""

    def __init__(self, *parts: GroupPart) -> None:
        self._parts = parts
        self.name = parts[0].name

    @property
    def broken(self) -> str:
        """Why one of them cannot go on; empty while all can."""
        return "; ".join(each.broken for each in self._parts if each.broken)

    def start(self) -> None:
        """Begin all of them; returns at once."""
        for each in self._parts:
            each.start()

    def ask_to_stop(self) -> None:
        """Let all of them end; returns at once."""
        for each in self._parts:
            each.ask_to_stop()

    def join(self, timeout: float) -> bool:
        """Wait for all of them."""
        ends = time.monotonic() + timeout
        ended = [each.join(max(0.0, ends - time.monotonic())) for each in self._parts]
        return all(ended)

    def status(self) -> Sequence[StageStatus]:
        """How each stage is."""
        return [status for each in self._parts for status in each.status()]
