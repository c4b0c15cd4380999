"""An incident: a group from its first page until nothing in it fires; instants in ms."""

from dataclasses import dataclass, field

import ormsgpack

from schemas.incidents import IncidentState

__all__ = ["Incident", "IncidentState", "unpacked_incident"]

ENDED = -1
"""Instead of a life's start: it ended, so what fires under this fingerprint is not covered."""


@dataclass(slots=True)
class Incident:
    """What is known of one incident; its timeline stands in `timeline.TimelineBook`.

    `covered` are the lives of alerts (fingerprint to the life's start) that an acknowledgement or
    a person's resolve covers: they page nobody. `acknowledged_until` is when the acknowledgement
    ends by itself. `firing` is what fired at the last look. `also` are receivers that escalation
    brought in: they hear of everything from then on. `escalation` is the state of the policy,
    which alone reads it.
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
    escalation: tuple[str, int, int, int | None] = ("", 0, 0, None)
    """Policy, step, round, and when the next step is due."""
    firing: frozenset[str] = frozenset()

    @property
    def state(self) -> IncidentState:
        """Where it stands."""
        if self.resolved_at is not None:
            return IncidentState.RESOLVED
        if self.acknowledged_at is not None:
            return IncidentState.ACKNOWLEDGED
        return IncidentState.OPEN

    def covers(self, fingerprint: str, life: int) -> bool:
        """Whether this life of an alert is covered.

        A poster may tell of an earlier start while it fires; a later one is another life.
        """
        start = self.covered.get(fingerprint)
        return start is not None and start != ENDED and life <= start

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *(self.group_id, self.group_key, self.receiver, self.labels, self.opened_at),
                *(self.acknowledged_at, self.acknowledged_by, self.acknowledged_until),
                *(self.resolved_at, self.resolved_by, self.false_positive),
                *(self.covered, self.also, self.escalation),
                bytes.fromhex("".join(sorted(self.firing))),
            ]
        )


def unpacked_incident(name: str, entry: bytes) -> Incident:
    """The incident of a checkpoint's entry."""
    group_id, key, receiver, labels, opened, *rest = ormsgpack.unpackb(entry)
    at, by, until, resolved_at, resolved_by, false, covered, also, policy, firing = rest
    text = firing.hex()
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
        escalation=(policy[0], policy[1], policy[2], policy[3]),
        firing=frozenset(text[at : at + 16] for at in range(0, len(text), 16)),
    )
