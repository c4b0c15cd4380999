"""The heartbeats that the router remembers, each with its deadline."""

from notifiers.alarms import Alarms
from notifiers.heartbeats.heartbeat import Heartbeat, unpacked_heartbeat

PREFIX = "heartbeat"


class HeartbeatBook:
    """Heartbeats by name."""

    prefix = PREFIX

    def __init__(self) -> None:
        self.known: dict[str, Heartbeat] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, heartbeat: Heartbeat) -> None:
        """Know this heartbeat, or that it changed."""
        self.known[heartbeat.name] = heartbeat
        self.touched.add(heartbeat.name)
        self.alarms.set(heartbeat.name, heartbeat.deadline)

    def forget(self, name: str) -> None:
        """Drop it."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_heartbeat(name, entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        heartbeat = self.known.get(name)
        return None if heartbeat is None else heartbeat.packed()
