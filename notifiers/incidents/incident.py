"""An incident: a group from its first page until nothing in it fires; instants in ms."""

from dataclasses import dataclass, field
from enum import StrEnum

import ormsgpack

MOST_HAPPENINGS = 500
"""Of a timeline in the router's memory; history has them all."""


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a timeline: when, what, by whom (nobody: by itself), and in which words."""

    at: int
    what: str
    by: str = ""
    detail: str = ""


@dataclass(slots=True)
class Incident:
    """What is known of one incident.

    `covered` are the lives of alerts (fingerprint to the life's start) that an acknowledgement or
    a person's resolve covers: they page nobody. `acknowledged_until` is when the acknowledgement
    ends by itself. `also` are receivers that escalation brought in: they hear of everything from
    then on. `escalation` is the state of the policy, which alone reads it.
    """

    id: str
    group_id: str
    group_key: str
    receiver: str
    labels: tuple[tuple[str, str], ...]
    opened_at: int
    acknowledged_at: int | None = None
    acknowledged_by: str = ""
    acknowledged_until: int | None = None
    resolved_at: int | None = None
    resolved_by: str = ""
    false_positive: bool = False
    covered: dict[str, int] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    timeline: list[Happening] = field(default_factory=list)
    dropped: int = 0
    """Lines of the timeline that memory has no room for."""
    escalation: tuple[str, int, int, int | None] = ("", 0, 0, None)
    """Policy, step, round, and when the next step is due."""

    @property
    def state(self) -> IncidentState:
        """Where it stands."""
        if self.resolved_at is not None:
            return IncidentState.RESOLVED
        if self.acknowledged_at is not None:
            return IncidentState.ACKNOWLEDGED
        return IncidentState.OPEN

    def note(self, happening: Happening) -> None:
        """Write a line of the timeline."""
        self.timeline.append(happening)
        if len(self.timeline) > MOST_HAPPENINGS:
            # The beginning says how it came about; what is dropped is of the middle.
            del self.timeline[MOST_HAPPENINGS // 2]
            self.dropped += 1

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *(self.group_id, self.group_key, self.receiver, self.labels, self.opened_at),
                *(self.acknowledged_at, self.acknowledged_by, self.acknowledged_until),
                *(self.resolved_at, self.resolved_by, self.false_positive),
                *(self.covered, self.also),
                [[one.at, one.what, one.by, one.detail] for one in self.timeline],
                *(self.dropped, self.escalation),
            ]
        )


def unpacked_incident(name: str, entry: bytes) -> Incident:
    """The incident of a checkpoint's entry."""
    group_id, key, receiver, labels, *rest = ormsgpack.unpackb(entry)
    (
        opened,
        at,
        by,
        until,
        resolved_at,
        resolved_by,
        false,
        covered,
        also,
        lines,
        dropped,
        policy,
    ) = rest
    return Incident(
        *(name, group_id, key, receiver, tuple((label, value) for label, value in labels), opened),
        acknowledged_at=at,
        acknowledged_by=by,
        acknowledged_until=until,
        resolved_at=resolved_at,
        resolved_by=resolved_by,
        false_positive=false,
        covered=covered,
        also=tuple(also),
        timeline=[Happening(*line) for line in lines],
        dropped=dropped,
        escalation=(policy[0], policy[1], policy[2], policy[3]),
    )
