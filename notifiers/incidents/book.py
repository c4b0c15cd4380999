"""The incidents that the router remembers, and the newest of each group."""

from notifiers.alarms import Alarms
from notifiers.incidents.incident import Incident, IncidentState, unpacked_incident

REMEMBERED = 604_800_000
"""How long a resolved incident stays in memory (ms); history keeps it for longer."""


class IncidentBook:
    """Incidents by id; a group's newest one stays its current one until another opens."""

    prefix = "incident"

    def __init__(self) -> None:
        self.known: dict[str, Incident] = {}
        self.current: dict[str, str] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

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
        if newest is None or newest.opened_at <= incident.opened_at:
            self.current[incident.group_id] = incident.id
        self.touched.add(incident.id)
        self.alarms.set(incident.id, due(incident))

    def forget(self, incident: Incident) -> None:
        """Drop it from memory."""
        self.known.pop(incident.id, None)
        if self.current.get(incident.group_id) == incident.id:
            del self.current[incident.group_id]
        self.touched.add(incident.id)
        self.alarms.set(incident.id, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_incident(name, entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        incident = self.known.get(name)
        return None if incident is None else incident.packed()


def due(incident: Incident) -> int | None:
    """When something is to be done about it by itself."""
    if incident.resolved_at is not None:
        return incident.resolved_at + REMEMBERED
    if incident.state is IncidentState.ACKNOWLEDGED:
        return incident.acknowledged_until
    return incident.escalation[3]
