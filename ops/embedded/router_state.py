"""What the router has committed, unpacked for those who look, once for each commit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ops.transport.sqlite_reader import Reader
from schemas.alerts import AlertState
from schemas.stage import Partition
from schemas.topics import ALERTS

if TYPE_CHECKING:
    from notifiers.state import State

STAGE = "router"
_PARTITION = Partition(ALERTS, 0)


class RouterState:
    """The router's committed state; from any thread.

    Whatever it changes moves its offset too, so what was unpacked holds as long as that stands.
    The offset is read before the state, which may then be newer: it is read once more for that.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._known: tuple[int | None, State] | None = None
        self._counted: tuple[int | None, Counter[AlertState]] | None = None

    def entries(self, prefix: str) -> list[tuple[str, bytes]]:
        """What lies under one prefix, as it is stored."""
        return self._reader.state(STAGE, 0, f"{prefix}/")

    @contextmanager
    def known(self, now: int) -> Iterator[State]:
        """Everything, at this instant (ms); one looks at a time, for looking remembers things."""
        from notifiers import view

        with self._lock:
            offset, known = self._offset(), self._known
            if known is None or known[0] != offset:
                # Let go of it first: two of them need not be in memory.
                self._known = known = None
                self._known = known = offset, view.loaded(self._reader.state(STAGE, 0))
            known[1].now = now
            yield known[1]

    def counted(self) -> Counter[AlertState]:
        """How many alerts are in which state; nothing else is unpacked for it."""
        from notifiers import view

        offset, counted, known = self._offset(), self._counted, self._known
        if known is not None and known[0] != offset:
            # Figures are asked for again and again; what nobody looks at any more may go.
            self._known = None
        if counted is None or counted[0] != offset:
            counted = offset, view.counted(self._reader.state(STAGE, 0, "alert"))
            self._counted = counted
        return counted[1]

    def _offset(self) -> int | None:
        return self._reader.committed(STAGE, _PARTITION)
