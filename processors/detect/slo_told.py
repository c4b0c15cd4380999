"""What an SLO tells: its alerts' labels and facts, and itself as series."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from processors.detect.model import Finding
from processors.detect.slo_options import Burn, SloOptions, text
from processors.detect.words import number
from processors.promql import labels as label
from processors.promql.columns import Floats
from processors.promql.labels import METRIC_NAME, Labels

REMEMBERED = 20_000
"""Label sets of recorded series that are not made anew at each instant."""


def errors(counts: Floats) -> Floats:
    """The share of events that were bad, of [good and all, …]; none where there were no events."""
    good, events = counts
    share: Floats = np.where(events > 0, (events - good) / np.where(events > 0, events, 1.0), 0.0)
    return share


class Told:
    """Puts numbers into words and series."""

    def __init__(self, options: SloOptions, burns: Sequence[Burn]) -> None:
        self._options, self._burns = options, burns
        self._names: dict[tuple[str, Labels, str], Labels] = {}

    def labels(self, kind: int, own: Labels) -> Labels:
        """The labels of an alert: those of the series, of the SLO and of the windows."""
        return label.of((*self._series(own), *self._burns[kind].labels))

    def findings(
        self, kind: int, own: Sequence[Labels], within: Mapping[int, Floats]
    ) -> Iterator[Finding]:
        """Burn rates that are too high; `within` holds good and all events by window (ms)."""
        options, burn = self._options, self._burns[kind]
        columns = [
            (errors(within[each]) / options.budget).tolist()
            for each in (burn.long, burn.short, options.window_ms)
        ]
        counts = within[burn.long].tolist()
        for labels, long, short, whole, good, events in zip(own, *columns, *counts, strict=True):
            facts = self._facts(burn, (long, short, whole), good, events)
            yield Finding(self.labels(kind, labels), long, facts)

    def _facts(
        self, burn: Burn, rates: tuple[float, float, float], good: float, events: float
    ) -> Labels:
        long, short = text(burn.long), text(burn.short)
        left = 100 * (1 - rates[2])
        return (
            ("expected", f"a burn rate of {number(burn.rate)} at the most"),
            (
                "observed",
                f"{number(rates[0])} over {long}, {number(rates[1])} over {short}",
            ),
            ("errors", f"{events - good:,.0f} of {events:,.0f} requests in {long}"),
            ("budget_remaining", f"{number(left)} % of {self._options.window}"),
            ("objective", f"{self._options.objective:g} %"),
        )

    def samples(
        self, own: Sequence[Labels], counted: Floats, known: Floats, within: Mapping[int, Floats]
    ) -> list[tuple[Labels, float]]:
        """What is recorded of each series; `within` holds good and all events by window (ms)."""
        options = self._options
        rates = {
            each: (errors(counts) / options.budget).tolist() for each, counts in within.items()
        }
        events = {each: counts[1].tolist() for each, counts in within.items()}
        good, every, seconds = counted[0].tolist(), counted[1].tolist(), known.tolist()
        found: list[tuple[Labels, float]] = []
        for at, labels in enumerate(own):
            left = 1 - rates[options.window_ms][at]
            found += [
                (self._name("slo:objective:ratio", labels), options.ratio),
                (self._name("slo:error_budget_remaining:ratio", labels), left),
                (self._name("slo:good_events_total", labels), good[at]),
                (self._name("slo:events_total", labels), every[at]),
                (self._name("slo:known:seconds", labels), seconds[at]),
            ]
            found += [
                (self._name("slo:burn_rate:ratio", labels, text(window)), rates[window][at])
                for window in within
                if events[window][at] > 0
            ]
        return found

    def _series(self, own: Labels) -> Labels:
        return (*label.without(own, {METRIC_NAME, "slo"}), ("slo", self._options.name))

    def _name(self, name: str, own: Labels, window: str = "") -> Labels:
        asked = (name, own, window)
        known = self._names.get(asked)
        if known is None:
            if len(self._names) >= REMEMBERED:
                self._names.clear()
            pairs = (*self._series(own), (METRIC_NAME, name), ("window", window))
            known = self._names[asked] = label.of(dict(pairs).items())
        return known
