"""The incidents that the router remembers, and the newest of each group."""

from collections.abc import Mapping
from heapq import heappop, heappush

from notifiers.alarms import Alarms
from notifiers.group import Group
from notifiers.incidents.incident import ENDED, Incident, IncidentState, unpacked_incident
from notifiers.incidents.timeline import TimelineBook

REMEMBERED = 604_800_000
"""How long a resolved incident stays in memory (ms); history keeps it for longer."""
MOST_RESOLVED = 5_000
"""Resolved incidents that stay in memory; of more, those that were resolved first are forgotten."""


class IncidentBook:
    """Incidents by id; a group's newest one stays its current one until another opens.

    `adrift` are covered alerts that a new plan brought into another group, by fingerprint: the
    incidents that go on covering them there, for the same receiver.
    """

    prefix = "incident"

    def __init__(self) -> None:
        self.known: dict[str, Incident] = {}
        self.current: dict[str, str] = {}
        self.adrift: dict[str, set[str]] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()
        self.timelines = TimelineBook()
        self._over: list[tuple[int, str]] = []
        """Resolved and to be forgotten, the first resolved first; some may be gone already."""
        self._is_over: set[str] = set()

    def of(self, group_id: str) -> Incident | None:
        """The newest incident of a group."""
        name = self.current.get(group_id)
        return None if name is None else self.known[name]

    def open_in(self, group_id: str) -> Incident | None:
        """The group's incident that is not resolved."""
        incident = self.of(group_id)
        return None if incident is None or incident.resolved_at is not None else incident

    def put(self, incident: Incident) -> None:
        """Know this incident, or that it changed."""
        self.known[incident.id] = incident
        newest = self.of(incident.group_id)
        if newest is None or (newest.opened_at, newest.id) <= (incident.opened_at, incident.id):
            self.current[incident.group_id] = incident.id
        self.touched.add(incident.id)
        self.alarms.set(incident.id, due(incident))
        self._count(incident)

    def make_room(self) -> None:
        """Forget what was resolved first, where there are too many."""
        while len(self._is_over) > MOST_RESOLVED:
            _, name = heappop(self._over)
            if name in self._is_over:
                self.forget(self.known[name])

    def forget(self, incident: Incident) -> None:
        """Drop it from memory."""
        self.known.pop(incident.id, None)
        if self.current.get(incident.group_id) == incident.id:
            del self.current[incident.group_id]
        self._is_over.discard(incident.id)
        self.touched.add(incident.id)
        self.alarms.set(incident.id, None)
        self.timelines.forget(incident.id)

    def find_adrift(self, groups: Mapping[str, Group]) -> None:
        """Which covered alerts are no longer in their incident's group."""
        self.adrift = {}
        for incident in self.known.values():
            group = groups.get(incident.group_id)
            if group is not None:
                # The same texts twice would be a third of what an incident takes.
                incident.group_id, incident.group_key = group.id, group.key
                incident.labels = group.labels
            for one, start in incident.covered.items():
                if start != ENDED and (group is None or one not in group.members):
                    self.adrift.setdefault(one, set()).add(incident.id)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_incident(name, entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        incident = self.known.get(name)
        return None if incident is None else incident.packed()

    def _count(self, incident: Incident) -> None:
        over = incident.resolved_at is not None and not incident.covered
        if not over:
            self._is_over.discard(incident.id)
        elif incident.id not in self._is_over:
            self._is_over.add(incident.id)
            heappush(self._over, (incident.resolved_at or 0, incident.id))


def due(incident: Incident) -> int | None:
    """When something is to be done about it by itself."""
    if incident.resolved_at is not None:
        return incident.resolved_at + REMEMBERED
    if incident.state is IncidentState.ACKNOWLEDGED:
        return incident.acknowledged_until
    return incident.escalation[3]
