"""What the parts of one process share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ops.figures import Figures
from ops.runtime.crash import Crash
from ops.settings import Settings
from ops.transport.log import Log
from schemas.stage import Inbox

L_co = TypeVar("L_co", bound=Log, covariant=True)


@dataclass(frozen=True, slots=True)
class Shared(Generic[L_co]):
    """The log, the settings, and where to count."""

    settings: Settings
    log: L_co
    crash: Crash
    figures: Figures = field(default_factory=Figures)

    def counter(self, stage: str) -> Callable[[str, int], None]:
        """Counts what a stage says of its steps under the figure it belongs to."""

        def count(event: str, amount: int) -> None:
            kind, _, rest = event.partition(":")
            if kind == "dead":
                self.figures.add("tocsin_dead_letters_total", amount, stage=stage, reason=rest)
            elif kind == "rows":
                self.figures.add("tocsin_history_rows_total", amount, table=rest)
            elif kind == "delivery":
                channel, _, fate = rest.partition(":")
                self.figures.add("tocsin_deliveries_total", amount, channel=channel, fate=fate)
            elif kind == "rule failed":
                self.figures.add("tocsin_rule_failures_total", amount, rule=rest[:300])
            else:
                self.figures.add("tocsin_stage_events_total", amount, stage=stage, event=event)

        return count


def behind(inbox: Inbox) -> dict[str, float]:
    """The figures of how far a group's member is behind: by partition where it is one topic's."""
    lags = inbox.lag()
    if not lags:
        return {}
    figures = {"lag": float(sum(lags.values()))}
    if len({partition.topic for partition in lags}) == 1:
        figures |= {f"lag:{partition.number}": float(lag) for partition, lag in lags.items()}
    return figures
