"""Which series a selector selects: found by their labels once, and again only for new ones."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from processors.promql.columns import Rows, SeriesSet
from processors.promql.labels import METRIC_NAME, Labels, get
from processors.promql.selector import Match, Selector

Numbered = tuple[Labels, int]


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """The selected series in label order, and the number of each."""

    series: SeriesSet
    numbers: Rows


@dataclass(slots=True)
class _Known:
    """What a selector has selected among the first `seen` series of its metric."""

    located: Located
    seen: int


class SeriesIndex:
    """Numbered series by metric and label value; it grows, and is thrown away to forget."""

    def __init__(self, series: Iterable[Numbered] = ()) -> None:
        self._all: list[Numbered] = []
        self._of_metric: dict[str, list[Numbered]] = {}
        self._by_value: dict[tuple[str, str], tuple[list[int], dict[str, list[Numbered]]]] = {}
        self._known: dict[Selector, _Known] = {}
        for entry in series:
            self.add(entry)

    @property
    def generation(self) -> int:
        """Changes whenever a series is added."""
        return len(self._all)

    def add(self, entry: Numbered) -> None:
        """One more series."""
        self._all.append(entry)
        self._of_metric.setdefault(get(entry[0], METRIC_NAME), []).append(entry)

    def locate(self, selector: Selector) -> Located:
        """What the selector selects: the same object while that is the same."""
        metric = selector.metric
        among = self._all if metric is None else self._of_metric.get(metric, [])
        known = self._known.get(selector)
        if known is None:
            found = self._matching(selector, among)
            self._known[selector] = known = _Known(_located(found), len(among))
        elif known.seen < len(among):
            new = [entry for entry in among[known.seen :] if selector.matches(entry[0])]
            known.seen = len(among)
            if new:
                before = known.located
                held = zip(before.series.labels, before.numbers.tolist(), strict=True)
                known.located = _located([*held, *new])
        return known.located

    def _matching(self, selector: Selector, among: list[Numbered]) -> list[Numbered]:
        if selector.metric is not None:
            among = min((among, *self._narrowed(selector, among)), key=len)
        return [entry for entry in among if selector.matches(entry[0])]

    def _narrowed(self, selector: Selector, among: list[Numbered]) -> list[list[Numbered]]:
        """By each label that must have one value: the series that have it."""
        return [
            self._values(selector.metric or "", each.name, among).get(each.value, [])
            for each in selector.matchers
            if each.op is Match.EQUAL and each.value and each.name != METRIC_NAME
        ]

    def _values(self, metric: str, name: str, among: list[Numbered]) -> dict[str, list[Numbered]]:
        seen, by_value = self._by_value.setdefault((metric, name), ([0], {}))
        for entry in among[seen[0] :]:
            by_value.setdefault(get(entry[0], name), []).append(entry)
        seen[0] = len(among)
        return by_value


def _located(found: list[Numbered]) -> Located:
    found.sort()
    numbers = np.fromiter((number for _, number in found), np.intp, len(found))
    return Located(SeriesSet(tuple(labels for labels, _ in found)), numbers)
