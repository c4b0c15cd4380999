"""The alerts of every partition as their routers know them, and how old that knowledge is."""

import logging
import threading
from collections.abc import Callable
from operator import attrgetter

from notifiers import view
from notifiers.explain.asked import Asked
from notifiers.explain.live import AlertNow
from notifiers.incidents.view import IncidentView
from notifiers.oncall.book import MadeOverride
from notifiers.router import Router
from notifiers.windows.view import WindowView
from ops.runtime.threads import Worker
from ops.services import StageStatus
from ops.transport.stage_log import Clock
from ops.workers.follower import Follower, Source
from schemas.errors import LogAway
from schemas.stage import Position

log = logging.getLogger("tocsin.console")

EVERY = 0.2
"""Seconds between two looks at the ends of the partitions."""
LATE = 5_000
"""Milliseconds behind the log, from which on the console is not ready."""


class Followers:
    """Follows, in a thread of its own, from `start` to `stop`.

    `as_of` is the newest instant of the log's clock up to which everything is taken in. It moves
    only when the broker was asked for its ends and all below them is read; so one figure tells of
    a follower that is slow, and of a broker that says nothing.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        clock: Clock,
        make: Callable[[], Router] = Router,
        every: float = EVERY,
    ) -> None:
        self.as_of: int | None = None
        self._open = open_source
        self._clock = clock
        self._make = make
        self._every = every
        self._followers: tuple[Follower, ...] = ()
        self._away = ""
        self._moved = threading.Condition()
        self.worker = Worker("follower", self._work)

    def start(self) -> None:
        """Begin; returns at once."""
        self.worker.start()

    def alerts(self) -> list[view.AlertView]:
        """Every alert that a router knows, by labels."""
        followers = self._followers
        found = [alert for follower in followers for alert in follower.alerts()]
        return sorted(found, key=view.place) if len(followers) > 1 else found

    def groups(self) -> list[view.GroupView]:
        """Every group of alerts, by key and receiver."""
        found = [group for follower in self._followers for group in follower.groups()]
        return sorted(found, key=lambda group: (group.key, group.receiver))

    def silences(self) -> list[view.SilenceView]:
        """Every silence, by id."""
        found = [silence for follower in self._followers for silence in follower.silences()]
        return sorted(found, key=lambda one: one.silence.id)

    def windows(self) -> list[WindowView]:
        """Every maintenance window, by id."""
        found = [window for follower in self._followers for window in follower.windows()]
        return sorted(found, key=lambda one: one.window.id)

    def overrides(self) -> list[MadeOverride]:
        """Every override of a schedule, by id."""
        found = [made for follower in self._followers for made in follower.overrides()]
        return sorted(found, key=lambda one: one.id)

    def remembered(self, prefix: str) -> dict[str, bytes]:
        """The entries of one of the routers' books, by name."""
        found = [follower.remembered(prefix) for follower in self._followers]
        return {name: entry for entries in found for name, entry in entries.items()}

    def incidents(self) -> list[IncidentView]:
        """Every incident, the newest first."""
        found = [one for follower in self._followers for one in follower.incidents()]
        return sorted(found, key=lambda one: (-one.opened_at, one.id))

    def explained(self, what: Asked, now: int) -> list[AlertNow]:
        """How the alerts that are asked for stand."""
        return [one for follower in self._followers for one in follower.explained(what, now)]

    def applied(self, position: Position, within: float) -> bool:
        """Wait until what was appended there is taken in; False after `within` s."""

        def taken() -> bool:
            return any(
                follower.partition == position.partition and follower.next > position.offset
                for follower in self._followers
            )

        with self._moved:
            return self._moved.wait_for(taken, within)

    def plans(self) -> dict[int, int]:
        """The plan in force, by partition."""
        return {each.partition.number: each.plan for each in self._followers}

    def status(self) -> StageStatus:
        """Ready while what it knows is not older than five seconds."""
        as_of, failure = self.as_of, self.worker.failure
        if as_of is None:
            why = failure or self._away or "reads the alerts from the router's checkpoint on"
            return StageStatus("follower", not failure, False, why)
        behind = max(0, self._clock() - as_of)
        figures = {"behind": behind / 1000, "watermark": as_of / 1000}
        if behind <= LATE:
            return StageStatus("follower", True, True, "", figures)
        why = failure or self._away or "it is reading"
        message = f"alerts are shown as of {behind / 1000:.0f} s ago: {why}"
        return StageStatus("follower", False, False, message, figures)

    def _work(self, stop: threading.Event) -> None:
        source: Source | None = None
        anew = True  # after a failure nothing is known of what is in memory
        try:
            while not stop.is_set():
                try:
                    source = source or self._open()
                    if anew:
                        self._followers = tuple(
                            Follower(source, each, self._make)
                            for each in sorted(source.partitions(), key=attrgetter("number"))
                        )
                        anew = False
                    self._look(source, stop)
                except LogAway as fault:
                    if not self._away:
                        log.warning("broker is away, alerts stand still", extra={"why": str(fault)})
                    self._away = str(fault) or "the broker does not answer"
                    if source is not None:
                        source.close()
                        source = None
                    stop.wait(self._every * 5)
                else:
                    self._away = ""
                    stop.wait(self._every)
        finally:
            if source is not None:
                source.close()

    def _look(self, source: Source, stop: threading.Event) -> None:
        """Take in all that was there when the look began."""
        mark = self._clock()
        ends = [(follower, source.end(follower.partition)) for follower in self._followers]
        for follower, end in ends:
            while follower.turn(source, end):
                if stop.is_set():
                    return
        self.as_of = mark
        with self._moved:
            self._moved.notify_all()
