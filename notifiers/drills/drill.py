"""A fire drill: a marked test to every channel of a receiver, and what became of each; in ms."""

from dataclasses import dataclass, field

import ormsgpack

from notifiers.alarms import Alarms

PREFIX = "drill"
REMEMBERED = 86_400_000
"""How long a drill is kept (ms)."""


@dataclass(slots=True)
class Tried:
    """One channel's delivery; `fate` is empty until a receipt came."""

    kind: str
    index: int
    delivery: str
    fate: str = ""
    reason: str = ""
    detail: str = ""
    tries: int = 0
    duration: float = 0.0
    at: int = 0


@dataclass(slots=True)
class Drill:
    """One drill; `problem` says why nothing was sent."""

    id: str
    receiver: str
    by: str
    at: int
    expires_at: int
    tried: list[Tried] = field(default_factory=list)
    problem: str = ""

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        tried = [
            [*(one.kind, one.index, one.delivery, one.fate, one.reason), *_outcome(one)]
            for one in self.tried
        ]
        return ormsgpack.packb(
            [self.receiver, self.by, self.at, self.expires_at, tried, self.problem]
        )


def _outcome(one: Tried) -> list[object]:
    return [one.detail, one.tries, one.duration, one.at]


def unpacked_drill(name: str, entry: bytes) -> Drill:
    """The drill of a checkpoint's entry."""
    receiver, by, at, expires_at, tried, problem = ormsgpack.unpackb(entry)
    return Drill(name, receiver, by, at, expires_at, [Tried(*one) for one in tried], problem)


class DrillBook:
    """Drills by id, and which delivery is of which drill."""

    prefix = PREFIX

    def __init__(self) -> None:
        self.known: dict[str, Drill] = {}
        self.sent: dict[str, str] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, drill: Drill) -> None:
        """Know this drill, or that it changed."""
        self.known[drill.id] = drill
        self.sent |= {one.delivery: drill.id for one in drill.tried}
        self.touched.add(drill.id)
        self.alarms.set(drill.id, drill.at + REMEMBERED)

    def forget(self, name: str) -> None:
        """Drop it."""
        for one in self.known.pop(name).tried:
            self.sent.pop(one.delivery, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_drill(name, entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        drill = self.known.get(name)
        return None if drill is None else drill.packed()
