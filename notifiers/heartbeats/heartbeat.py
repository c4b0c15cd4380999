"""What is known of one heartbeat; instants and durations in ms."""

from dataclasses import dataclass, field
from enum import StrEnum

import ormsgpack

from notifiers.heartbeats.definition import Definition, Pairs, unpacked_definition

MOST_RUNS = 20
"""Runs of one job that are followed at once."""


class Cause(StrEnum):
    """Why a heartbeat is down."""

    MISSED = "missed"
    OVERRAN = "overran"
    FAILED = "failed"


class HeartbeatState(StrEnum):
    """Where a heartbeat stands; healthchecks.io's words."""

    NEW = "new"
    UP = "up"
    STARTED = "started"
    GRACE = "grace"
    DOWN = "down"


@dataclass(slots=True)
class Heartbeat:
    """A heartbeat and what was heard of it.

    `since` is when the plan took it: until the first ping the clock runs from there. `runs` are
    those that were started and have not ended, by their ids. `alert` are the labels under which
    it is announced while it is down.
    """

    definition: Definition
    since: int
    last_ping: int | None = None
    last_start: int | None = None
    last_duration: int | None = None
    exit_status: int | None = None
    body: str = ""
    runs: dict[str, int] = field(default_factory=dict)
    cause: Cause | None = None
    down_at: int = 0
    reason: str = ""
    alert: Pairs = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.definition.name

    @property
    def expected(self) -> int:
        """When it should be heard of next."""
        return self.definition.expected(self.since if self.last_ping is None else self.last_ping)

    @property
    def overdue(self) -> int | None:
        """When the oldest run has lasted too long."""
        return min(self.runs.values()) + self.definition.max_runtime if self.runs else None

    @property
    def deadline(self) -> int | None:
        """When it goes down unless it is heard of; None while it is down."""
        if self.cause is not None:
            return None
        missed, overdue = self.expected + self.definition.grace, self.overdue
        return missed if overdue is None else min(missed, overdue)

    def state_at(self, now: int) -> HeartbeatState:
        """Where it stands at this instant."""
        if self.cause is not None:
            return HeartbeatState.DOWN
        if self.runs:
            return HeartbeatState.STARTED
        if now > self.expected:
            return HeartbeatState.GRACE
        return HeartbeatState.NEW if self.last_ping is None else HeartbeatState.UP

    def begins(self, run: str, at: int) -> None:
        """A run was started."""
        self.last_start = self.runs[run] = at
        if len(self.runs) > MOST_RUNS:
            del self.runs[min(self.runs, key=lambda one: (self.runs[one], one))]

    def ends(self, run: str, at: int, *, failed: bool) -> None:
        """A run ended. An end that names no run, or a failure, ends them all."""
        self.last_ping, self.last_duration = at, None
        if (start := self.runs.pop(run, None)) is not None:
            self.last_duration = at - start
        elif failed or not run:
            self.runs.clear()

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *(self.definition.packed(), self.since),
                *(self.last_ping, self.last_start, self.last_duration, self.exit_status),
                *(self.body, self.runs, self.cause, self.down_at, self.reason, self.alert),
            ]
        )


def unpacked_heartbeat(name: str, entry: bytes) -> Heartbeat:
    """The heartbeat of a checkpoint's entry."""
    definition, since, ping, start, duration, status, body, runs, cause, down_at, reason, alert = (
        ormsgpack.unpackb(entry)
    )
    return Heartbeat(
        unpacked_definition(name, definition),
        since,
        last_ping=ping,
        last_start=start,
        last_duration=duration,
        exit_status=status,
        body=body,
        runs=runs,
        cause=None if cause is None else Cause(cause),
        down_at=down_at,
        reason=reason,
        alert=tuple((key, value) for key, value in alert),
    )
