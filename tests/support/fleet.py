"""A fleet to look at: hosts, alerts and curves, one of them with a hostile name."""

import math
import time
from collections.abc import Sequence

from ops.console.rows import HOST_COLUMNS
from ops.services import QueryResult, Series, StageStatus
from schemas.alerts import AlertState
from tests.support.fake_services import FakeAlert, FakeServices

HOSTILE = "<img src=x onerror=window.pwned=1>"
HOSTS = ("db-1.example.org", "web-1.example.org", "web-2.example.org", HOSTILE)


def wall() -> int:
    return time.time_ns() // 1_000_000


def fleet(hosts: Sequence[str] = HOSTS) -> FakeServices:
    """Services that answer with it."""

    def wave(host: str, at: int) -> float:
        return 45 + 35 * math.sin(at / 180_000 + hosts.index(host))

    def answer(expr: str, at: int | None) -> QueryResult:
        now = at or wall()
        column = next(name for name, known in HOST_COLUMNS.items() if known == expr)
        values = {
            "up": lambda host: 0.0 if host == hosts[2] else 1.0,
            "seen": lambda host: now / 1_000 - hosts.index(host),
            "cpu": lambda host: wave(host, now),
            "memory": lambda host: 60.0 + 10 * hosts.index(host),
            "disk": lambda host: 93.5 - 20 * hosts.index(host),
            "load": lambda host: 0.5 + hosts.index(host),
        }[column]
        return QueryResult("vector", now, [({"instance": h}, values(h)) for h in hosts])

    def over(expr: str, start: int, end: int, step: int) -> Sequence[Series]:
        scale = 1 if expr.startswith(("100", "max")) else 20_000
        times = range(start, end + 1, step)
        return [({"instance": h}, [(t, scale * wave(h, t)) for t in times]) for h in hosts]

    now = wall()
    return FakeServices(
        known=[
            FakeAlert(
                {
                    "alertname": "DiskAlmostFull",
                    "severity": "critical",
                    "service": "database",
                    "instance": hosts[0],
                },
                annotations={"summary": "The disk / is 93.5 % full."},
                active_at=now - 4_000_000,
                starts_at=now - 3_700_000,
                value=93.5,
            ),
            FakeAlert(
                {
                    "alertname": "HostHighCpu",
                    "severity": "medium",
                    "service": "shop",
                    "instance": hosts[1],
                },
                AlertState.PENDING,
                {"summary": "CPU has been above 80 % for a while."},
                now - 95_000,
                None,
                value=84.123456,
            ),
            FakeAlert(
                {
                    "alertname": HOSTILE,
                    "severity": "high",
                    "service": "<b>bold</b>",
                    "instance": hosts[-1],
                },
                annotations={"summary": "{{ constructor }} <script>window.pwned=1</script>"},
                active_at=now - 120_000,
                starts_at=now - 60_000,
                value=math.nan,
            ),
        ],
        stages=[
            StageStatus(name, healthy=True, ready=True)
            for name in ("agent", "detector", "router", "courier", "historian")
        ],
        answer=answer,
        ranges=over,
    )
