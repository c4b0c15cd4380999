"""Escalation policies: steps that call people, and which policy an incident gets. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

NONE = "none"
"""In a route: no policy, whatever the parent has."""


class Kind(StrEnum):
    """What a step can call."""

    USER = "user"
    SCHEDULE = "schedule"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody or something that a step calls."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to call, and how long to wait for an acknowledgement before the next step (ms).

    `active` and `mute` name time intervals, as in a route: outside of the one and inside of the
    other the step is passed over.
    """

    targets: tuple[Target, ...]
    wait: int
    active: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Steps in order, gone through once and `repeat` times more.

    `acknowledge_timeout` (ms) ends an acknowledgement that was given without an end.
    """

    name: str
    steps: tuple[Step, ...]
    repeat: int = 0
    acknowledge_timeout: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which policy a route's incidents get: by severity, the strictest first, or the default.

    An empty name is no policy.
    """

    default: str = ""
    by_severity: tuple[tuple[str, str], ...] = ()

    def policy(self, severities: Collection[str]) -> str:
        """The policy for an incident in which alerts of these severities fire."""
        return next((name for one, name in self.by_severity if one in severities), self.default)

    def has(self, policy: str) -> bool:
        """Whether any severity leads to this policy."""
        return self.strictness(policy) < len(self.by_severity) + 1

    def strictness(self, policy: str) -> int:
        """The place of the strictest severity that leads to it; 0 is the strictest of all."""
        names = [*(name for _, name in self.by_severity), self.default]
        return names.index(policy) if policy in names else len(names)

    def __str__(self) -> str:
        if not self.by_severity:
            return self.default or NONE
        pairs = [*self.by_severity, ("default", self.default or NONE)]
        return ", ".join(f"{severity}: {name}" for severity, name in pairs)
