"""One partition of the alerts topic, followed: the router's own fold, of which nothing is said."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow
from notifiers.incidents.view import IncidentView
from notifiers.oncall.book import MadeOverride
from notifiers.router import Router
from notifiers.view import AlertView, GroupView, SilenceView
from notifiers.windows.view import WindowView
from ops.runtime.intake import decoded, runs
from schemas.stage import Gap, Partition, Record

log = logging.getLogger("tocsin.console")

CHUNK = 500
MOST_FAILURES = 100
"""Records that may fail; a fold that fails at everything shows nothing that is true."""

Stored = Sequence[tuple[str, bytes]]


class FollowerBroken(Exception):
    """The fold failed at record after record."""


class Source(Protocol):
    """What a follower reads. Methods raise `LogAway` while the log does not answer."""

    def partitions(self) -> Sequence[Partition]:
        """Those of the alerts topic."""
        ...

    def checkpoint(self, partition: Partition) -> tuple[int | None, Stored]:
        """Where the partition's router goes on (None: it never committed), and its state."""
        ...

    def begin(self, partition: Partition) -> int:
        """The oldest offset that is still there."""
        ...

    def end(self, partition: Partition) -> int:
        """The offset that the next record will have."""
        ...

    def read(
        self, partition: Partition, offset: int, limit: int, /
    ) -> tuple[list[Record], Gap | None]:
        """Records from `offset` on, at most `limit`, and what retention took before them.

        No records: nothing is committed from there on.
        """
        ...

    def close(self) -> None:
        """Let go of the log."""
        ...


class Follower:
    """Knows the alerts that the partition's router knows, once it has read as far.

    It begins at the router's checkpoint and takes the same steps, without saying or writing
    anything. After a gap it begins there anew, for the router may have read what it missed; so it
    does after a record at which a step failed, which the router buries and it passes over.
    One thread calls `turn`, any may ask.
    """

    def __init__(
        self, source: Source, partition: Partition, make: Callable[[], Router] = Router
    ) -> None:
        self.partition = partition
        self.next = 0
        """The offset of the next record to take."""
        self._make = make
        self._lock = threading.Lock()
        self._now = 0
        self._looked = 0
        """Below this there is nothing more: Kafka's marks take offsets too."""
        self._poison: set[int] = set()
        self._careful_until = 0
        self._router = make()
        self._load(source)

    def alerts(self) -> list[AlertView]:
        """Every alert that the router knows, by labels."""
        with self._lock:
            return self._router.alerts()

    def groups(self) -> list[GroupView]:
        """Every group that the router has."""
        with self._lock:
            return self._router.groups()

    def silences(self) -> list[SilenceView]:
        """Every silence that the router knows."""
        with self._lock:
            return self._router.silences()

    def windows(self) -> list[WindowView]:
        """Every maintenance window that the router knows."""
        with self._lock:
            return self._router.windows()

    def overrides(self) -> list[MadeOverride]:
        """Every override of a schedule that the router knows."""
        with self._lock:
            return self._router.overrides()

    def remembered(self, prefix: str) -> dict[str, bytes]:
        """The entries of one of the router's books, by name."""
        with self._lock:
            return self._router.remembered(prefix)

    def incidents(self) -> list[IncidentView]:
        """Every incident that the router knows."""
        with self._lock:
            return self._router.incidents()

    def explained(self, what: Asked, now: int) -> list[AlertNow]:
        """How the alerts that are asked for stand, and why."""
        with self._lock:
            return self._router.explained(what, now)

    @property
    def plan(self) -> int:
        """The number of the plan in force; 0 before the first."""
        with self._lock:
            return self._router.plan_number

    def turn(self, source: Source, end: int) -> bool:
        """Take some of what is below `end`; False once all of it is taken.

        Raises `LogAway`; then the same may be tried again.
        """
        if self.next > end and self.next <= source.end(self.partition):
            return False  # it has grown since `end` was asked for
        if self.next > end:
            log.error("offsets went back: the alerts topic was made anew", extra=self._where())
            self._load(source)
            return self.next < end
        if max(self.next, self._looked) >= end:
            return False
        limit = 1 if self.next < self._careful_until else CHUNK
        records, gap = source.read(self.partition, self.next, limit)
        if gap is not None:
            log.error("alerts lost to retention", extra=self._where())
            self._load(source)
            self.next = max(self.next, gap.resumed)
            return True
        if not records:
            self._looked = end
            return False
        self._take(source, records)
        return True

    def _take(self, source: Source, records: Sequence[Record]) -> None:
        for now, run in runs(records, self._now):
            good = [record for record in run if record.offset not in self._poison]
            received, _ = decoded("router", good, now)
            try:
                with self._lock:
                    self._router.step(received, now)
            except Exception as fault:
                self._fail(run, fault)
                self._load(source)
                return
            self._now = now
            self.next = run[-1].offset + 1

    def _fail(self, run: Sequence[Record], fault: Exception) -> None:
        log.exception("alerts not understood", extra=self._where())
        self._careful_until = max(self._careful_until, run[-1].offset + 1)
        if len(run) == 1:
            self._poison.add(run[0].offset)
        if len(self._poison) > MOST_FAILURES:
            raise FollowerBroken(f"{len(self._poison)} records failed, the last: {fault!r}")

    def _load(self, source: Source) -> None:
        next_, state = source.checkpoint(self.partition)
        router = self._make()
        for key, value in state:
            router.restore(key, value)
        if next_ is not None and next_ > source.end(self.partition):
            router.begin_again()
            next_ = None
        if next_ is None:
            next_ = source.begin(self.partition)
        router.alerts()  # unpacks here, in the follower's own thread, whatever is wrong with it
        self._poison = {offset for offset in self._poison if offset >= next_}
        with self._lock:
            self._router, self.next, self._now, self._looked = router, next_, 0, 0

    def _where(self) -> dict[str, int]:
        return {"partition": self.partition.number, "next": self.next}
