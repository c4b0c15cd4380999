"""What a detector is to a rule group: options that were read, and a fold over instants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from processors.promql.columns import Source
from processors.promql.labels import Labels
from processors.promql.plan import Plan


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach: what is wrong, by how much, and the numbers behind it.

    `facts` (expected, observed, …) become annotations, unless the rule writes its own.
    """

    labels: Labels
    value: float
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector says at an instant.

    `held` are the label sets of findings of which nothing is known now: their alerts stand as they
    are, for no data is not good news. `samples` are recorded, as those of a recording rule
    are, under labels that include the metric's name; the group ends those that vanish.
    """

    findings: tuple[Finding, ...] = ()
    held: frozenset[Labels] = frozenset()
    samples: tuple[tuple[Labels, float], ...] = ()


class Detection(Protocol):
    """A detector at work: what it has learned so far, and how it goes on."""

    def step(self, source: Source, at: int) -> Found:
        """Decide at an instant (ms), later than the one before. Raises EvaluationFailed."""
        ...

    def changes(self) -> Mapping[str, bytes | None]:
        """What it has learned since the last call, to be kept under keys of its own choosing.

        Values are bounded (a megabyte at the most) and chunked by key, so that a small change is a
        small write; None forgets a key. Most detectors that read PromQL alone keep nothing.
        """
        ...


class Detector(Protocol):
    """A rule's `detect:` section, validated and compiled."""

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The expressions it reads, so that windows hold what they select."""
        ...

    def begin(self, kept: Mapping[str, bytes]) -> Detection:
        """Go on with what was kept; with nothing, begin to learn."""
        ...


@runtime_checkable
class Resumes(Protocol):
    """A detector that goes on with what one learned whose other options were not the same."""

    def resume(self, earlier: Detection) -> Detection:
        """The detection, by this detector's options from now on."""
        ...


class Complaint(Exception):
    """An option that cannot be used: where below the detector's name, why, and what to do."""

    def __init__(self, path: tuple[str | int, ...], reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.path, self.reason, self.hint = path, reason, hint


@dataclass(frozen=True, slots=True)
class Built:
    """A detector, and what its writer ought to know: (path below the detector's name, warning)."""

    detector: Detector
    warnings: tuple[tuple[tuple[str | int, ...], str], ...] = field(default=())
