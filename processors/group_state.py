"""What a detector remembers of a rule group, as plain data for its checkpoint."""

import zlib
from collections.abc import Container
from dataclasses import dataclass, field

import ormsgpack

from processors.promql.labels import Labels
from processors.rules.group import Memory
from processors.rules.lifecycle import Alert, State

PREFIX = "group/"
DETECTION = "detection/"
"""What a detector has learned, by group and slot (rule and options), then by a key of its own."""


def detection_key(group: str, slot: str) -> str:
    """Under which a detector's learning is kept."""
    return f"{group}\0{slot}"


@dataclass(frozen=True, slots=True)
class GroupState:
    """The group's memory, and the last instant (ms) it has seen: a replay skips up to it."""

    last: int = -1
    memory: Memory = field(default_factory=Memory)

    def pack(self) -> bytes:
        """Bytes for the checkpoint."""
        return zlib.compress(
            ormsgpack.packb(
                {
                    "last": self.last,
                    "alerts": {
                        key: [_alert(labels, alert) for labels, alert in alerts.items()]
                        for key, alerts in self.memory.alerts.items()
                    },
                    "recorded": dict(self.memory.recorded),
                }
            ),
            1,
        )

    @staticmethod
    def unpack(value: bytes) -> "GroupState":
        """What `pack` made bytes of."""
        raw = ormsgpack.unpackb(zlib.decompress(value))
        alerts = {
            key: dict(_read(entry) for entry in entries) for key, entries in raw["alerts"].items()
        }
        recorded = {
            key: tuple(_labels(labels) for labels in sets) for key, sets in raw["recorded"].items()
        }
        return GroupState(raw["last"], Memory(alerts, recorded))

    def only(self, rules: Container[str]) -> "GroupState":
        """What it remembers of these rules."""
        memory = Memory(
            {key: alerts for key, alerts in self.memory.alerts.items() if key in rules},
            {key: sets for key, sets in self.memory.recorded.items() if key in rules},
            self.memory.detections,
        )
        return GroupState(self.last, memory)

    def worth_keeping(self, before: "GroupState") -> bool:
        """Whether a replay could say something else without it.

        Values and annotations count too: an alert ends with those of its last evaluation.
        """
        return self.memory != before.memory


def _alert(labels: Labels, alert: Alert) -> list[object]:
    return [
        labels,
        str(alert.state),
        alert.active_at,
        alert.value,
        alert.annotations,
        alert.fired_at,
        alert.keep_firing_since,
    ]


def _read(entry: list[object]) -> tuple[Labels, Alert]:
    labels, state, active_at, value, notes, fired_at, keep = entry
    alert = Alert(
        State(str(state)),
        active_at,  # type: ignore[arg-type]  # plain data that `pack` wrote
        value,  # type: ignore[arg-type]
        _labels(notes),
        fired_at,  # type: ignore[arg-type]
        keep,  # type: ignore[arg-type]
    )
    return _labels(labels), alert


def _labels(pairs: object) -> Labels:
    return tuple((name, value) for name, value in pairs)  # type: ignore[attr-defined]
