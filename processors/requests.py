"""What a rule group that spans instances asks of every partition."""

from dataclasses import dataclass

from processors.evaluator import RunningGroup
from processors.partials.planning import long_uses
from processors.partials.spans import LATENESS, RAW_REACH
from processors.partials.store import LongUse
from processors.promql.plan import SelectorUse
from schemas.labels import derived_id


@dataclass(frozen=True, slots=True)
class Request:
    """A group that spans instances: what it selects, and at which multiples (ms) it is decided."""

    group: str
    step: int
    uses: tuple[SelectorUse, ...]
    far: tuple[LongUse, ...] = ()
    """What it reads of partials, which are made of what is sent."""

    @property
    def digest(self) -> str:
        """What tells what is gathered for the group from what was, had the plan been another."""
        far = {(use.selector, use.resolution, tuple(sorted(use.fields))) for use in self.far}
        return derived_id(self.step, *sorted(map(repr, {*self.uses, *far})))

    @property
    def reach(self) -> int:
        """How far back before an instant samples are needed, in ms."""
        if self.far:
            return max(RAW_REACH, self.step) + LATENESS
        return max((use.reach_ms for use in self.uses), default=0)

    def instants(self, start: int, end: int) -> range:
        """The instants in [start, end)."""
        return range(-(-start // self.step) * self.step, end, self.step)


def request_of(running: RunningGroup) -> Request:
    """What is gathered for a group."""
    rules = running.group.rules
    far = dict.fromkeys(use for rule in rules for plan in rule.plans for use in long_uses(plan))
    return Request(running.name, running.step, tuple(running.uses()), tuple(far))
