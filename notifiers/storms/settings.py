"""What a routing file says about storms."""

from dataclasses import dataclass

from notifiers.matchers import Matcher


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `messages` in any `per` ms, to each channel of a receiver.

    A message with an alert that `exempt` matches goes out whatever the limit says, and counts.
    """

    messages: int
    per: int
    exempt: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with one limit over all receivers that reach nobody else."""

    name: str
    limit: RateLimit
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dependency:
    """An alert that `children` match is held while one fires that `parents` match.

    Both must have the same values under the labels of `equal`; a missing label is an empty one.
    `lookback`: a child may have begun that long before its parent; `grace`: the time that children
    have, once their parent is over, to be over too. Both in ms.
    """

    parents: tuple[Matcher, ...]
    children: tuple[Matcher, ...]
    equal: frozenset[str] = frozenset()
    grace: int = 120_000
    lookback: int = 600_000
    line: int = 0


@dataclass(frozen=True, slots=True)
class FlapDetection:
    """An alert flaps once it changed `changes` times `within` ms, until `stable` ms without."""

    changes: int = 5
    within: int = 600_000
    stable: int = 600_000


OFF = FlapDetection(0, 0, 0)
"""What a route says that wants none, though its parent has one."""
