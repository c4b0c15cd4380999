"""What the page shows at one moment, asked of the process once for all who look."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ops.console.glance import EVERY, Glance
from ops.console.incident_rows import incidents_of_alerts
from ops.console.rows import (
    HOST_COLUMNS,
    METRICS,
    alert_rows,
    health_word,
    host_rows,
    line_series,
    stage_rows,
)
from ops.services import Services
from schemas.errors import TocsinError

if TYPE_CHECKING:
    from notifiers.incidents.view import IncidentView
    from notifiers.view import SilenceView
    from notifiers.windows.view import WindowView

log = logging.getLogger("tocsin.console")

PATIENCE: Final = 0.8
"""Seconds that a look waits for history; alerts do not wait for it any longer."""
SLOW: Final = 8_000
"""Milliseconds after which history that does not answer is called away."""
RANGE: Final = 15 * 60_000
STEP: Final = 15_000


Hidden = tuple[Sequence["SilenceView"], Sequence["WindowView"]]


@dataclass(frozen=True, slots=True)
class Present:
    """What the process knows by itself."""

    at: int
    alerts: Sequence[dict[str, Any]]
    health: tuple[str, str, str]
    stages: Sequence[dict[str, str]] = ()
    incidents: int = 0
    """How many are not resolved."""


@dataclass(frozen=True, slots=True)
class Past:
    """What history said; `fault` says why it did not, and then the rest is of before."""

    at: int = 0
    hosts: Sequence[dict[str, Any]] = ()
    lines: Sequence[dict[str, Any]] = ()
    span: tuple[int, int] = (0, 0)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One moment, both together."""

    present: Present
    past: Past


@dataclass
class Eyes:
    """Looks at most every two seconds however many pages ask; `now` is in ms."""

    services: Services
    now: Callable[[], int]
    patience: float = PATIENCE
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _present: Present | None = None
    _pasts: dict[str, Past] = field(default_factory=dict)
    _asking: dict[str, tuple[int, asyncio.Task[Past]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hidden: Glance[Hidden] = Glance(self._see_hidden, self.now)
        self.incidents: Glance[Sequence[IncidentView]] = Glance(self._see_incidents, self.now)

    async def look(self, metric: str) -> Look:
        """The latest look, with this metric's chart."""
        return Look(await self.present(), await self._ask(metric))

    async def present(self) -> Present:
        """What the process knows by itself."""
        async with self._lock:
            if self._present is None or self._stale(self._present.at):
                self._present = await asyncio.to_thread(self._see_present)
            return self._present

    async def _ask(self, metric: str) -> Past:
        past = self._pasts.get(metric, Past())
        if metric not in self._asking and self._stale(past.at):
            asked = asyncio.create_task(asyncio.to_thread(self._see_past, metric, past))
            self._asking[metric] = (self.now(), asked)
        if metric in self._asking:
            since, asked = self._asking[metric]
            await asyncio.wait({asked}, timeout=self.patience)
            if asked.done():
                self._asking.pop(metric, None)
                self._pasts[metric] = past = asked.result()
            elif self.now() - since > SLOW:
                return replace(past, fault="history does not answer")
        return past

    def _stale(self, at: int) -> bool:
        # Pages ask every two seconds: a little earlier, or every second answer is an old one.
        return self.now() - at >= EVERY * 900

    def _see_hidden(self) -> "Hidden":
        return self.services.silences(), self.services.windows()

    def _see_incidents(self) -> "Sequence[IncidentView]":
        return self.services.incidents()

    def _see_present(self) -> Present:
        now = self.now()
        stages = self.services.status()
        incidents = self.services.incidents()
        # Times of incidents are the log's.
        whose = incidents_of_alerts(incidents, self.services.now())
        alerts = alert_rows(self.services.alerts(), now, whose)
        live = sum(1 for one in incidents if one.resolved_at is None)
        return Present(now, alerts, health_word(stages), stage_rows(stages), live)

    def _see_past(self, metric: str, last: Past) -> Past:
        now, ask = self.now(), self.services.query
        end = now // STEP * STEP
        span = (end - RANGE, end)
        try:
            answers = {name: ask(expr, None) for name, expr in HOST_COLUMNS.items()}
            found = self.services.query_range(METRICS[metric].expr, *span, STEP)
        except TocsinError as fault:
            if not last.fault:
                log.info("history not asked", extra={"error": str(fault)})
            why = str(fault) or type(fault).__name__
            return replace(last, at=now, span=span, fault=why)
        except Exception as fault:
            # Whatever is wrong with history, the alerts beside it have to be seen.
            log.exception("history not understood")
            return replace(last, at=now, span=span, fault=f"internal error: {type(fault).__name__}")
        return Past(now, host_rows(answers, now), line_series(found), span)
