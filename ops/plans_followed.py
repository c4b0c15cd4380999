"""Which plan the workers of a stage follow, from what they say on the health topic."""

from dataclasses import dataclass, field

from schemas.plans import Health


@dataclass(slots=True)
class Followed:
    """Counts the partitions of a stage whose owners follow a plan at least as new as `number`.

    Fed with health events that were published after the plan was; a worker's newest counts.
    """

    stage: str
    number: int
    _newest: dict[str, Health] = field(default_factory=dict)

    def add(self, event: Health) -> None:
        """Take an event; those of other stages are passed over."""
        if event.stage != self.stage:
            return
        if "ended" in event.figures:
            self._newest.pop(event.worker, None)
        else:
            self._newest[event.worker] = event

    @property
    def partitions(self) -> int:
        """How many partitions follow it."""
        return sum(
            int(event.figures.get("partitions", 0))
            for event in self._newest.values()
            if event.figures.get("plan", 0) >= self.number
        )
