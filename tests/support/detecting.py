"""A detector on virtual time: a rule's section, samples as functions of time, what it finds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from processors.detect.model import Detection, Finding, Found
from processors.promql import labels as label
from processors.promql.labels import Labels
from processors.promql.memory import MemorySource
from processors.rules.file import load
from processors.rules.group import DetectRule

T0 = 1_700_000_000_000 - 1_700_000_000_000 % 3_600_000
Samples = Mapping[Labels, Sequence[tuple[int, float]]]


def rule_of(kind: str, **options: Any) -> DetectRule:
    """The compiled rule of a `detect:` section."""
    rule = {"alert": "A", "detect": {kind: options}}
    text = yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}, sort_keys=False)
    (found,) = load(text, "f.yml").groups[0].rules
    assert isinstance(found, DetectRule)
    return found


def series(name: str, **labels: str) -> Labels:
    """A series' labels."""
    return label.of([("__name__", name), *labels.items()])


def every(
    seconds: float, until: float, value: Callable[[float], float | None], start: float = 0
) -> list[tuple[int, float]]:
    """Samples each so many seconds from T0 + start; None leaves one out."""
    found, at = [], start
    while at <= until:
        worth = value(at)
        if worth is not None:
            found.append((T0 + round(at * 1000), worth))
        at += seconds
    return found


class Run:
    """A detector at work; `restart` goes on from what it had kept."""

    def __init__(self, rule: DetectRule, samples: Samples) -> None:
        self.rule = rule
        self._samples = samples
        self.kept: dict[str, bytes] = {}
        self.detection: Detection = rule.detector.begin({})
        self.found = Found()

    def at(self, second: float) -> Found:
        """Evaluate at T0 + second, of samples up to then; keep what it learned."""
        now = T0 + round(second * 1000)
        seen = {k: [each for each in v if each[0] <= now] for k, v in self._samples.items()}
        self.found = self.detection.step(MemorySource.of(list(seen.items())), now)
        for key, value in self.detection.changes().items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value
        return self.found

    def until(self, second: float, step: float = 15, start: float = 0) -> list[tuple[float, Found]]:
        """Evaluate at each step from start to second."""
        told, at = [], start
        while at <= second:
            told.append((at, self.at(at)))
            at += step
        return told

    def restart(self) -> None:
        """As after a crash: only what was kept is known."""
        self.detection = self.rule.detector.begin(self.kept)


def facts(finding: Finding) -> dict[str, str]:
    """What a finding explains itself by."""
    return dict(finding.facts)
