"""Which of many selectors select a series: found by a label that they demand, not one by one."""

from collections.abc import Iterable, Iterator

from processors.promql.labels import METRIC_NAME, Labels, get
from processors.promql.plan import SelectorUse
from processors.promql.selector import Match, Selector

_Pair = tuple[str, str]


class SelectorTable:
    """Uses of selectors, by metric and by one more label that must have one value."""

    def __init__(self, uses: Iterable[SelectorUse]) -> None:
        self._by_pair: dict[str, dict[_Pair, list[SelectorUse]]] = {}
        self._others: dict[str, list[SelectorUse]] = {}
        for use in uses:
            metric = use.selector.metric or ""
            pair = _demanded(use.selector)
            if pair is None:
                self._others.setdefault(metric, []).append(use)
            else:
                self._by_pair.setdefault(metric, {}).setdefault(pair, []).append(use)

    def of(self, labels: Labels) -> list[SelectorUse]:
        """The uses whose selectors select a series of these labels."""
        return [use for use in self._likely(labels) if use.selector.matches(labels)]

    def _likely(self, labels: Labels) -> Iterator[SelectorUse]:
        for metric in {get(labels, METRIC_NAME), ""}:
            yield from self._others.get(metric, ())
            by_pair = self._by_pair.get(metric)
            if by_pair is not None:
                for pair in labels:
                    yield from by_pair.get(pair, ())


def _demanded(selector: Selector) -> _Pair | None:
    for matcher in selector.matchers:
        if matcher.op is Match.EQUAL and matcher.value and matcher.name != METRIC_NAME:
            return matcher.name, matcher.value
    return None
