"""What observes: a source touches the outside, then says in pure code what it saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from schemas.checks import CheckResult
from schemas.labels import Labels

Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a reading says: samples of one instance at one time (ms), and a check's result."""

    at: int
    samples: Sequence[Sample]
    result: CheckResult | None = None


R = TypeVar("R")


class Source(Protocol[R]):
    """One thing that is looked at every `interval`.

    `name` is unique in an agent. Every sample carries `instance` and `job`; the agent adds `up`
    with the two. A source keeps the time: `read` ends within `interval`, or the agent says `up 0`
    in its place and throws the late reading away.
    """

    @property
    def name(self) -> str:
        """What logs and figures call it."""
        ...

    @property
    def instance(self) -> str:
        """What its samples are of; also the key of its batches."""
        ...

    @property
    def job(self) -> str:
        """The `job` of its samples."""
        ...

    @property
    def interval(self) -> timedelta:
        """How often it is due."""
        ...

    def read(self, at: int) -> R:
        """Touch the outside. Whatever is raised means `up 0`; `at` (ms) is the reading's time."""
        ...

    def observe(self, reading: R) -> Observation:
        """What the reading says: a pure function, so that a recorded reading says it again."""
        ...
