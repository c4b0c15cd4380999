"""The pages that no channel of a receiver with a fallback has taken yet."""

from dataclasses import dataclass

import ormsgpack

from notifiers.alarms import Alarms


@dataclass(frozen=True, slots=True)
class Watch:
    """A page of one group to one receiver; `lines` owe it, `due` is when the fallback is told."""

    group_id: str
    receiver: str
    due: int
    lines: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Which page; a group's id has no slash."""
        return name_of(self.group_id, self.receiver)


class FallbackBook:
    """Watches by name: at most one for each group and receiver."""

    prefix = "fallback"

    def __init__(self) -> None:
        self.known: dict[str, Watch] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, watch: Watch) -> None:
        """Know this watch, or that it changed."""
        self.known[watch.name] = watch
        self.touched.add(watch.name)
        self.alarms.set(watch.name, watch.due)

    def take(self, name: str) -> Watch | None:
        """Drop it; what it was."""
        watch = self.known.pop(name, None)
        if watch is not None:
            self.touched.add(name)
            self.alarms.set(name, None)
        return watch

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        group_id, _, receiver = name.partition("/")
        due, lines = ormsgpack.unpackb(entry)
        self.put(Watch(group_id, receiver, due, frozenset(lines)))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        watch = self.known.get(name)
        return None if watch is None else ormsgpack.packb([watch.due, sorted(watch.lines)])


def name_of(group_id: str, receiver: str) -> str:
    """The name of a watch."""
    return f"{group_id}/{receiver}"
