"""Endless series as functions of time: a source that makes only the samples that are asked for."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from processors.detect.model import Detection, Found
from processors.promql.columns import Columns, SeriesSet
from processors.promql.labels import Labels
from processors.promql.selector import Selector
from processors.rules.group import DetectRule
from tests.support.detecting import T0

Value = Callable[[np.ndarray], np.ndarray]
"""Values at times, in seconds after T0; NaN where there is no sample."""


class Flow:
    """Series by labels, each sampled every so many seconds, all at once."""

    def __init__(self, series: Mapping[Labels, Value], every: float = 15) -> None:
        self._series, self._every = dict(series), round(every * 1000)
        self._sets: dict[Selector, SeriesSet] = {}

    def select(self, selector: Selector, start: int, end: int) -> Columns:
        if selector not in self._sets:
            chosen = [labels for labels in self._series if selector.matches(labels)]
            self._sets[selector] = SeriesSet(tuple(chosen))
        series = self._sets[selector]
        step = self._every
        times = np.arange((start // step + 1) * step, end + 1, step)
        seconds = (times - T0) / 1000
        rows = [self._series[labels](seconds) for labels in series.labels]
        shape = (len(rows), len(times))
        found, values, counts = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(len(rows), int)
        for row, all_values in enumerate(rows):
            here = np.flatnonzero(~np.isnan(all_values))
            found[row, : len(here)], values[row, : len(here)] = times[here], all_values[here]
            counts[row] = len(here)
        return Columns(series, found, values, counts.astype(np.intp))


class Watch:
    """A rule's detector over a flow; times in seconds after T0."""

    def __init__(self, rule: DetectRule, flow: Flow) -> None:
        self.rule, self.flow = rule, flow
        self.kept: dict[str, bytes] = {}
        self.written: list[int] = []
        self.detection: Detection = rule.detector.begin({})

    def at(self, second: float) -> Found:
        """One instant; what was learned is kept."""
        found = self.detection.step(self.flow, T0 + round(second * 1000))
        changes = self.detection.changes()
        self.written.append(sum(len(value or b"") for value in changes.values()))
        for key, value in changes.items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value
        return found

    def run(self, start: float, end: float, step: float = 15) -> Iterator[tuple[float, Found]]:
        """The instants from start to end."""
        at = start
        while at <= end:
            yield at, self.at(at)
            at += step

    def restart(self) -> None:
        """As after a crash: only what was kept is known."""
        self.detection = self.rule.detector.begin(self.kept)


def constant(value: float) -> Value:
    """A gauge that never moves."""
    return lambda at: np.full(len(at), value)


def counter(*phases: tuple[float, float]) -> Value:
    """A counter that grows by so much a second from each second on."""

    def value(at: np.ndarray) -> np.ndarray:
        total = np.zeros(len(at))
        for place, (start, rate) in enumerate(phases):
            stop = phases[place + 1][0] if place + 1 < len(phases) else np.inf
            total += rate * np.clip(np.minimum(at, stop) - start, 0, None)
        return total

    return value
