"""Many durations in little memory: counted in steps of two percent."""

import math
from collections import Counter

_STEP = math.log(1.02)


class Latency:
    """Counts durations in seconds; its quantiles are right to two percent."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, seconds: float, times: int = 1) -> None:
        """It took so long, `times` times."""
        self._counts[round(math.log(max(seconds, 1e-6)) / _STEP)] += times

    def quantile(self, share: float) -> float:
        """Seconds that this share took at most; 0 if there was nothing."""
        wanted, seen = share * self._counts.total(), 0
        for step, count in sorted(self._counts.items()):
            seen += count
            if seen >= wanted:
                return math.exp(step * _STEP)
        return 0.0
