"""What the page shows at one moment, asked of the process once for all who look."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ops.console.rows import (
    HOST_COLUMNS,
    METRICS,
    alert_rows,
    health_word,
    host_rows,
    line_series,
)
from ops.services import QueryResult, Services
from schemas.errors import TocsinError

log = logging.getLogger("tocsin.console")

EVERY: Final = 2.0
"""Seconds between two looks."""
RANGE: Final = 15 * 60_000
STEP: Final = 15_000


@dataclass(frozen=True, slots=True)
class Look:
    """One moment; `fault` says what could not be asked, and then the hosts are those of before."""

    at: int
    alerts: Sequence[dict[str, Any]]
    hosts: Sequence[dict[str, Any]]
    lines: Sequence[dict[str, Any]]
    span: tuple[int, int]
    health: tuple[str, str, str]
    fault: str = ""


@dataclass
class Eyes:
    """Looks at most every two seconds however many pages ask; `now` is in ms."""

    services: Services
    now: Callable[[], int]
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _looks: dict[str, Look] = field(default_factory=dict)

    async def look(self, metric: str) -> Look:
        """The latest look, with this metric's chart."""
        lock = self._locks.setdefault(metric, asyncio.Lock())
        async with lock:
            last = self._looks.get(metric)
            # Pages ask every two seconds: a little earlier, or every second answer is an old one.
            if last is None or self.now() - last.at >= EVERY * 900:
                last = self._looks[metric] = await asyncio.to_thread(self._take, metric, last)
            return last

    def _take(self, metric: str, last: Look | None) -> Look:
        now, services = self.now(), self.services
        alerts = alert_rows(services.alerts(), now)
        health = health_word(services.status())
        end = now // STEP * STEP
        span = (end - RANGE, end)
        try:
            answers = {name: self._ask(expr) for name, expr in HOST_COLUMNS.items()}
            found = services.query_range(METRICS[metric].expr, *span, STEP)
        except TocsinError as fault:
            log.info("history not asked", extra={"error": str(fault)})
            hosts, lines = (last.hosts, last.lines) if last else ((), ())
            why = str(fault) or type(fault).__name__
            return Look(now, alerts, hosts, lines, span, health, why)
        return Look(now, alerts, host_rows(answers, now), line_series(found), span, health)

    def _ask(self, expr: str) -> QueryResult:
        return self.services.query(expr, None)
