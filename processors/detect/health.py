"""Health: a weighted score of components, and which failure explains the others.

Score = Σ weight × score / Σ weight, over the components of which something is known; 0 to 100.
Healthy from `minimum` on, degraded from `critical` on, unhealthy below; unknown while less than
half of the weight is known. An entity of which nothing is known any more is unknown for `forget`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from graphlib import CycleError, TopologicalSorter
from math import isnan

import numpy as np
from pydantic import Field

from processors.detect.kind import Compile, Kind, Options
from processors.detect.model import Built, Complaint, Finding, Found
from processors.detect.reading import read
from processors.detect.table import Table
from processors.detect.words import number
from processors.promql import labels as label
from processors.promql.columns import Source
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.plan import Plan
from processors.rules.model import Duration, LabelName


class Status(IntEnum):
    """What a score comes to; the number is that of `health:status`."""

    HEALTHY = 0
    DEGRADED = 1
    UNHEALTHY = 2
    UNKNOWN = 3


class Component(Options):
    """`score`: 0 to 100 a series, the worst of an entity's counts; what it needs to be well."""

    score: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, le=1000)
    needs: tuple[str, ...] = ()


class HealthOptions(Options):
    """Components by name; `by` tells whose health it is. Found is what is at least `at` bad."""

    components: Mapping[str, Component] = Field(min_length=1)
    by: tuple[LabelName, ...] = ()
    minimum: float = Field(default=85.0, gt=0, le=100)
    critical: float = Field(default=70.0, ge=0, lt=100)
    at: str = Field(default="degraded", pattern="^(degraded|unhealthy)$")
    forget: Duration = Field(default=86_400_000, ge=60_000)
    max_entities: int = Field(default=10_000, ge=1, le=100_000)


@dataclass(frozen=True, slots=True)
class Health:
    """The validated section; components in such an order that needs come first."""

    options: HealthOptions
    inputs: Mapping[str, Plan]

    @property
    def plans(self) -> tuple[Plan, ...]:
        return tuple(self.inputs.values())

    def begin(self, kept: Mapping[str, bytes]) -> "_Health":
        return _Health(self, kept)


class _Health:
    """Whom it has scored, and when it last could."""

    def __init__(self, detector: Health, kept: Mapping[str, bytes]) -> None:
        self._options, self._inputs = detector.options, detector.inputs
        self._table = Table({"seen_at": 1}, self._options.max_entities, kept)

    def step(self, source: Source, at: int) -> Found:
        """Score every entity of which some component says something, or lately did."""
        scores: dict[Labels, dict[str, float]] = {}
        for name, plan in self._inputs.items():
            for labels, value in read(plan, source, at).items():
                entity = scores.setdefault(label.only(labels, self._options.by), {})
                if not isnan(value):
                    score = min(max(value, 0.0), 100.0)
                    entity[name] = min(entity.get(name, score), score)
        self._remember(scores, at)
        findings: list[Finding] = []
        samples: list[tuple[Labels, float]] = []
        for labels, known in sorted(scores.items()):
            score, status = self._scored(known)
            samples += _samples(labels, known, score, status)
            if status >= Status[self._options.at.upper()]:
                findings.append(Finding(labels, score, self._facts(known, status)))
        return Found(tuple(findings), samples=tuple(samples))

    def changes(self) -> Mapping[str, bytes | None]:
        """What a restart has to know."""
        return self._table.changes()

    def _remember(self, scores: dict[Labels, dict[str, float]], at: int) -> None:
        """Note who was seen, and add those who were and are not; the long gone are forgotten."""
        table, forget = self._table, self._options.forget
        for labels, known in scores.items():
            row = table.row(labels)
            # Seldom, for a write a minute of every entity would say nothing more.
            if known and at - table["seen_at"][row, 0] > forget / 8:
                table["seen_at"][row, 0] = at
                table.touch(np.array([row]))
        held = table.held()
        gone = at - table["seen_at"][held, 0] > forget * 9 / 8
        for row in held[~gone].tolist():
            scores.setdefault(table.labels(row), {})
        table.drop(held[gone])

    def _scored(self, known: Mapping[str, float]) -> tuple[float, Status]:
        components = self._options.components
        weight = sum(components[name].weight for name in known)
        total = sum(components[name].weight * value for name, value in known.items())
        score = total / weight if known else 0.0
        if weight * 2 < sum(each.weight for each in components.values()):
            return score, Status.UNKNOWN
        return score, self._status(score)

    def _status(self, score: float) -> Status:
        if score >= self._options.minimum:
            return Status.HEALTHY
        return Status.DEGRADED if score >= self._options.critical else Status.UNHEALTHY

    def _facts(self, known: Mapping[str, float], status: Status) -> tuple[tuple[str, str], ...]:
        causes, explained = self._cascade(known)
        parts = [
            f"{name} {number(known[name])}" if name in known else f"{name} unknown"
            for name in self._options.components
        ]
        facts = [("status", status.name.lower()), ("components", ", ".join(parts))]
        if causes:
            facts.append(("causes", ", ".join(causes)))
        if explained:
            facts.append(("explained", "; ".join(f"{a} by {b}" for a, b in explained.items())))
        return tuple(facts)

    def _cascade(self, known: Mapping[str, float]) -> tuple[list[str], dict[str, str]]:
        """Components that fail by themselves; and those that fail with one that they need."""
        failing = {name for name, score in known.items() if self._status(score) > Status.HEALTHY}
        causes: list[str] = []
        explained: dict[str, str] = {}
        for name in self._inputs:  # what a component needs comes before it
            if name not in failing:
                continue
            roots = {
                explained.get(each, each)
                for each in self._options.components[name].needs
                if each in failing
            }
            if roots:
                explained[name] = ", ".join(sorted(roots))
            else:
                causes.append(name)
        return sorted(causes), dict(sorted(explained.items()))


def _samples(
    labels: Labels, known: Mapping[str, float], score: float, status: Status
) -> list[tuple[Labels, float]]:
    def named(name: str, *more: tuple[str, str]) -> Labels:
        return label.of([*labels, (METRIC_NAME, name), *more])

    return [
        (named("health:score"), score),
        (named("health:status"), float(status)),
        *(
            (named("health:component_score", ("component", name)), value)
            for name, value in sorted(known.items())
        ),
    ]


def build(options: HealthOptions, compile_: Compile) -> Built:
    """From options to a detector."""
    if options.critical >= options.minimum:
        raise Complaint(("critical",), "must be below 'minimum'", f"{options.minimum:g}")
    needs = {name: each.needs for name, each in options.components.items()}
    for name, needed in needs.items():
        for i, other in enumerate(needed):
            if other not in needs:
                raise Complaint(("components", name, "needs", i), f"no component {other!r}")
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as fault:
        ring = " needs ".join(reversed(fault.args[1]))
        raise Complaint(("components",), f"components need each other: {ring}") from fault
    inputs = {name: compile_(options.components[name].score) for name in order}
    return Built(Health(options, inputs))


KIND = Kind(HealthOptions, build)
