"""How many series the windows hold: of all, of one metric, of one instance."""

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

NAMED = 50
"""How many metrics and instances are named when their series are refused; the rest is `others`."""


class Limits(BaseModel):
    """Series that rules select and one detector holds; beyond them, new series are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: int = Field(default=2_000_000, ge=1)
    series_per_metric: int = Field(default=1_000_000, ge=1)
    series_per_instance: int = Field(default=200_000, ge=1)
    partial_bytes: int = Field(default=512 * 2**20, ge=1)
    """What long ranges may take of memory, once they are covered."""


LIMITS = Limits()


class Admission:
    """Lets series in while there is room, and counts those that it turned away."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all = 0
        self._of_metric: Counter[str] = Counter()
        self._of_instance: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._named: set[str] = set()

    def admits(self, metric: str, instance: str) -> bool:
        """Whether one more series finds room; if so it is counted."""
        reason = self._full(metric, instance)
        if reason:
            self._refused[self._bounded(reason)] += 1
            return False
        self._all += 1
        self._of_metric[metric] += 1
        self._of_instance[instance] += 1
        return True

    def refused(self) -> dict[str, int]:
        """Series turned away since the last call, by reason; then it counts from zero."""
        found, self._refused = dict(self._refused), Counter()
        return found

    def begin_again(self) -> None:
        """Forget who was let in: the holder counts anew."""
        self._all = 0
        self._of_metric.clear()
        self._of_instance.clear()

    def _full(self, metric: str, instance: str) -> str:
        if self._all >= self._limits.series:
            return "series refused"
        if self._of_metric[metric] >= self._limits.series_per_metric:
            return f"series refused: metric {metric}"
        if self._of_instance[instance] >= self._limits.series_per_instance:
            return f"series refused: instance {instance}"
        return ""

    def _bounded(self, reason: str) -> str:
        # Names are what others write: a figure for each would grow without bound.
        if reason not in self._named and len(self._named) >= NAMED:
            return "series refused: others"
        self._named.add(reason)
        return reason[:200]
